"""Keeps what became of each photo for the length of a run, so that a run can be taken up again.

An entry is found by the digests of photo, detector and recogniser: a photo that was changed, and another
model, are measured anew. Features are templates: each is sealed under a key of this cache alone, and key and
files are destroyed at the end unless the operator asks otherwise. No image is kept.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facepay.errors import InputUnusable
from facepay.recognition.engine import RecognitionEngine
from keys.cobblestone import seal_message, unseal_message
from keys.errors import KeysError
from keys.hygiene import wipe

_KEY_BYTES = 32


class FeatureCache:
    """What became of photos, sealed, one file each; `close` wipes the key. One run at a time has it.

    Raises:
        InputUnusable: another run has it, its disk takes no more, or its key file is damaged.
    """

    def __init__(self, folder: Path, engine: RecognitionEngine) -> None:
        self.folder = folder
        self._models = f"{engine.model}/{engine.detector_sha256}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _locked(folder)
            self._key_file = _made_key(folder / "key")
            self._key = bytearray(self._key_file.read_bytes())
        except OSError as error:
            raise self._full(error) from error
        if len(self._key) != _KEY_BYTES:
            raise InputUnusable(f"{self._key_file} is damaged; delete the folder {folder} and run again")

    def find(self, digest: str) -> tuple[int, npt.NDArray[np.float32]] | None:
        """Return what is known about a photo: the number of its fate, and its features."""
        try:
            plain = bytes(unseal_message(self._key, self._context(digest), self._path(digest).read_bytes()))
        except (FileNotFoundError, KeysError):
            # Unknown, or a write that a crash cut off: measure again, it costs one photo.
            return None
        return plain[0], np.frombuffer(plain, "<f4", offset=1).astype(np.float32)

    def add(self, digest: str, fate: int, features: npt.NDArray[np.float32]) -> None:
        """Keep what became of a photo.

        Raises:
            InputUnusable: the disk takes no more; what was kept before stays.
        """
        plain = bytes([fate]) + features.astype("<f4").tobytes()
        sealed = seal_message(self._key, self._context(digest), plain, os.urandom)
        try:
            self._path(digest).write_bytes(sealed)
        except OSError as error:
            raise self._full(error) from error

    def close(self, *, destroy: bool) -> None:
        """Wipe the key from memory; with `destroy` also overwrite its file and remove everything."""
        wipe(self._key)
        if destroy:
            with self._key_file.open("r+b") as stream:
                stream.write(bytes(_KEY_BYTES))
                os.fsync(stream.fileno())
            shutil.rmtree(self.folder)
        os.close(self._lock)

    def _path(self, digest: str) -> Path:
        return self.folder / f"{hashlib.sha256(self._context(digest)).hexdigest()}.sealed"

    def _context(self, digest: str) -> bytes:
        return f"facepay/evaluation/{self._models}/{digest}".encode()

    def _full(self, error: OSError) -> InputUnusable:
        return InputUnusable(
            f"{self.folder} cannot keep the features: {error.strerror}; mend that, or name another data "
            "folder with --data"
        )


def _locked(folder: Path) -> int:
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise InputUnusable(
            f"another run of evaluate or calibrate uses {folder}; wait for it, or name another data folder "
            "with --data"
        ) from error
    return descriptor


def _made_key(path: Path) -> Path:
    """Make the key where none is yet, whole or not at all."""
    if not path.exists():
        fresh = path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(os.urandom(_KEY_BYTES))
        fresh.replace(path)
    return path
