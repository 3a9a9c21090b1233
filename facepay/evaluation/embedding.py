"""Turns a folder of photos into features, once: resumable, cached by digests, with nothing of an image kept.

A cache record is the sha256 of a photo, one byte that says what became of it, and its features. The
file is named by the digests of detector and recogniser, so another model starts another file. It is
derived from faces all the same, and deleted at the end unless the operator asks otherwise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facepay.errors import InputUnusable
from facepay.evaluation.datasets import Photo, dataset_digest, file_digest
from facepay.recognition.engine import RecognitionEngine
from facepay.types import Detection, Pixels
from hardware.errors import FrameRefused
from hardware.images import ImageLimits, load_image

_DIGEST_BYTES = 32
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


class FeatureCache:
    """Append-only file of features; a record that a crash cut off is ignored."""

    def __init__(self, folder: Path, engine: RecognitionEngine) -> None:
        detector = engine.spec.detector.file if engine.spec.detector else engine.spec.name
        name = hashlib.sha256(f"{engine.model} {detector}".encode()).hexdigest()[:24]
        self.path = folder / f"features-{name}.bin"
        self._dimensions = engine.dimensions
        self._known = dict(self._read())

    def find(self, digest: str) -> tuple[Fate, npt.NDArray[np.float32]] | None:
        """Return what is known about a photo."""
        return self._known.get(bytes.fromhex(digest))

    def add(self, digest: str, fate: Fate, features: npt.NDArray[np.float32]) -> None:
        """Keep what became of a photo."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as stream:
            stream.write(bytes.fromhex(digest) + bytes([fate]) + features.astype("<f4").tobytes())
        self._known[bytes.fromhex(digest)] = (fate, features)

    def forget(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)
        self._known.clear()

    def _read(self) -> Iterator[tuple[bytes, tuple[Fate, npt.NDArray[np.float32]]]]:
        data = self.path.read_bytes() if self.path.is_file() else b""
        size = _DIGEST_BYTES + 1 + 4 * self._dimensions
        whole = len(data) // size * size
        if whole != len(data):
            with self.path.open("rb+") as stream:
                stream.truncate(whole)
        for at in range(0, whole, size):
            row = np.frombuffer(data, "<f4", self._dimensions, at + _DIGEST_BYTES + 1)
            yield data[at : at + _DIGEST_BYTES], (Fate(data[at + _DIGEST_BYTES]), row.astype(np.float32))


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
        InputUnusable: no photo could be used.
    """
    kept: list[Photo] = []
    rows: list[npt.NDArray[np.float32]] = []
    failed: list[tuple[Photo, Fate]] = []
    digests: list[tuple[str, str]] = []
    for photo in photos:
        digest = file_digest(photo.path)
        digests.append((photo.identity, digest))
        known = cache.find(digest)
        if known is None:
            known = _embed(photo.path, engine)
            cache.add(digest, *known)
        fate, features = known
        if fate is Fate.EMBEDDED:
            kept.append(photo)
            rows.append(features)
        else:
            failed.append((photo, fate))
        each()
    if not rows:
        raise InputUnusable(f"none of {len(photos)} photos shows a face that could be embedded")
    return EmbeddedSet(tuple(kept), np.stack(rows), tuple(failed), dataset_digest(digests))


def _embed(path: Path, engine: RecognitionEngine) -> tuple[Fate, npt.NDArray[np.float32]]:
    nothing = np.zeros(engine.dimensions, np.float32)
    try:
        pixels = load_image(path, _LIMITS)
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
