"""Turns a folder of photos into features, once: resumable, cached by digests, with nothing of an image kept.

A photo that cannot be read is told apart from one without a face, and a photo is about the person nearest
its middle. What became of each is asked of the cache first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facepay.errors import InputUnusable
from facepay.evaluation.datasets import Photo, dataset_digest, file_digest
from facepay.evaluation.feature_cache import FeatureCache
from facepay.recognition.engine import RecognitionEngine
from facepay.types import Detection, Pixels
from hardware.errors import FrameRefused
from hardware.images import ImageLimits, load_image

_LIMITS = ImageLimits(max_bytes=50_000_000)


class Fate(IntEnum):
    """What became of a photo."""

    EMBEDDED = 0
    NO_FACE = 1
    NOT_GOOD_ENOUGH = 2
    UNREADABLE = 3


@dataclass(frozen=True, slots=True)
class EmbeddedSet:
    """Features of a data set: rows of `features` and entries of `photos` run in parallel.

    `failed` are the photos without features and why; `digest` names the data set.
    """

    photos: tuple[Photo, ...]
    features: npt.NDArray[np.float32] = field(repr=False)
    failed: tuple[tuple[Photo, Fate], ...]
    digest: str

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each person, by number."""
        return tuple(sorted({photo.identity for photo in self.photos}))

    @property
    def identity(self) -> list[int]:
        """For each row the number of its person."""
        numbers = {name: number for number, name in enumerate(self.names)}
        return [numbers[photo.identity] for photo in self.photos]


def embed_photos(
    photos: Sequence[Photo],
    engine: RecognitionEngine,
    cache: FeatureCache,
    each: Callable[[], object] = lambda: None,
) -> EmbeddedSet:
    """Embed every photo that the counter's own quality gate would let pass.

    A photo is about the person nearest its middle; others in the background are not held against it.

    Args:
        photos: the data set.
        engine: detector, gate and recogniser.
        cache: what an earlier run did already.
        each: called after each photo, for a progress bar.

    Raises:
        InputUnusable: no photo could be used, or the cache's disk takes no more.
    """
    kept: list[Photo] = []
    rows: list[npt.NDArray[np.float32]] = []
    failed: list[tuple[Photo, Fate]] = []
    digests: list[tuple[str, str]] = []
    for photo in photos:
        digest = _readable_digest(photo.path)
        if digest is None:
            failed.append((photo, Fate.UNREADABLE))
        else:
            digests.append((photo.identity, digest))
            fate, features = _known(photo.path, digest, engine, cache)
            if fate is Fate.EMBEDDED:
                kept.append(photo)
                rows.append(features)
            else:
                failed.append((photo, fate))
        each()
    if not rows:
        raise InputUnusable(f"none of {len(photos)} photos shows a face that could be embedded")
    return EmbeddedSet(tuple(kept), np.stack(rows), tuple(failed), dataset_digest(digests))


def _readable_digest(path: Path) -> str | None:
    try:
        return file_digest(path)
    except OSError:
        return None


def _known(
    path: Path, digest: str, engine: RecognitionEngine, cache: FeatureCache
) -> tuple[Fate, npt.NDArray[np.float32]]:
    known = cache.find(digest)
    if known is None:
        fate, features = _embed(path, engine)
        cache.add(digest, fate, features)
        return fate, features
    return Fate(known[0]), known[1]


def load_photo(path: Path) -> Pixels:
    """Read a photo within the limits of an evaluation; raises FrameRefused for one that is damaged."""
    return load_image(path, _LIMITS)


def _embed(path: Path, engine: RecognitionEngine) -> tuple[Fate, npt.NDArray[np.float32]]:
    nothing = np.zeros(engine.dimensions, np.float32)
    try:
        pixels = load_photo(path)
    except FrameRefused:
        return Fate.UNREADABLE, nothing
    detections = engine.detector.detect(pixels)
    if not detections:
        return Fate.NO_FACE, nothing
    assessment = engine.judge(pixels, (_middle_one(pixels, detections),))
    if not assessment.quality.acceptable or assessment.face is None:
        return Fate.NOT_GOOD_ENOUGH, nothing
    return Fate.EMBEDDED, engine.extract([assessment.face])[0]


def _middle_one(pixels: Pixels, detections: tuple[Detection, ...]) -> Detection:
    height, width = pixels.shape[:2]

    def distance(face: Detection) -> float:
        x1, y1, x2, y2 = face.box
        away = float(np.hypot((x1 + x2) / 2 - width / 2, (y1 + y2) / 2 - height / 2))
        return away - face.height / 2

    return min(detections, key=distance)
