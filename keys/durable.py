"""Files that are either the old or the new version after a crash, never a mixture and never both gone."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keys.errors import FormatError


def write_durably(path: Path, data: bytes | bytearray) -> None:
    """Replace a file, owner-readable only, by way of a temporary one; OSError leaves the old one in place."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def read_bounded(path: Path, limit: int) -> bytes:
    """A whole file of at most `limit` bytes; FormatError when it is longer."""
    with path.open("rb") as source:
        data = source.read(limit + 1)
    if len(data) > limit:
        raise FormatError(f"{path} is longer than {limit} bytes")
    return data


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the advisory lock beside a file, so that two processes change it one after the other."""
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
