"""Turns a folder of photos into features, once: resumable, cached by digests, with nothing of an image kept.

A run over thousands of photos can be interrupted and taken up again, so what became of each photo is
cached under the digests of photo, detector and recogniser. Features are templates: each is sealed under a
key of this cache alone, and key and files are destroyed at the end unless the operator asks otherwise.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
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
from keys.cobblestone import seal_message, unseal_message
from keys.errors import KeysError
from keys.hygiene import wipe

_KEY_BYTES = 32
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
    """What became of photos, sealed, one file each; `close` wipes the key.

    Raises:
        InputUnusable: the cache's key file is damaged.
    """

    def __init__(self, folder: Path, engine: RecognitionEngine) -> None:
        self.folder = folder
        self._models = f"{engine.model}/{engine.detector_sha256}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._key_file = folder / "key"
        if not self._key_file.exists():
            descriptor = os.open(self._key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(os.urandom(_KEY_BYTES))
        self._key = bytearray(self._key_file.read_bytes())
        if len(self._key) != _KEY_BYTES:
            raise InputUnusable(f"{self._key_file} is damaged; delete the folder {folder} and run again")

    def find(self, digest: str) -> tuple[Fate, npt.NDArray[np.float32]] | None:
        """Return what is known about a photo."""
        path = self._path(digest)
        if not path.is_file():
            return None
        try:
            plain = bytes(unseal_message(self._key, self._context(digest), path.read_bytes()))
        except KeysError:
            # A write that a crash cut off: measure again, it costs one photo.
            return None
        return Fate(plain[0]), np.frombuffer(plain, "<f4", offset=1).astype(np.float32)

    def add(self, digest: str, fate: Fate, features: npt.NDArray[np.float32]) -> None:
        """Keep what became of a photo."""
        plain = bytes([fate]) + features.astype("<f4").tobytes()
        self._path(digest).write_bytes(seal_message(self._key, self._context(digest), plain, os.urandom))

    def close(self, *, destroy: bool) -> None:
        """Wipe the key from memory; with `destroy` also overwrite its file and remove everything."""
        wipe(self._key)
        if destroy:
            with self._key_file.open("r+b") as stream:
                stream.write(bytes(_KEY_BYTES))
                os.fsync(stream.fileno())
            shutil.rmtree(self.folder)

    def _path(self, digest: str) -> Path:
        return self.folder / f"{hashlib.sha256(self._context(digest)).hexdigest()}.sealed"

    def _context(self, digest: str) -> bytes:
        return f"facepay/evaluation/{self._models}/{digest}".encode()


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
