"""The memory of frames that earlier sessions showed, in a file that outlives a restart.

The file holds two generations of a Bloom filter over keyed digests, and when each began: no picture, no
digest that could be looked up without the key, nothing of any person. It is mapped, so remembering a
frame writes a few bits; after a power cut the last seconds may be forgotten.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

from liveness.memory import CAPACITY, BloomFrameMemory, bytes_for

_MAGIC = b"facepay frames 1"
_HEADER = struct.Struct(">16sQQ")
_START = 64
_S_PER_DAY = 86_400


class FrameMemoryFile:
    """A `liveness.base.FrameMemory` in a file.

    Args:
        path: where it lies; made, readable by its owner only, where there is none.
        key: secret of this terminal; another key makes an old file useless, not wrong.
        days: how long a frame is remembered at least; at most twice as long.
        capacity: frames per generation; a full one ages early.

    Raises:
        OSError: the file cannot be made or mapped.
    """

    def __init__(
        self,
        path: Path,
        key: bytes,
        *,
        days: int = 30,
        capacity: int = CAPACITY,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._days = days
        self._now_s = now_s
        size = bytes_for(capacity)
        self._map = _mapped(path, _START + 2 * size)
        magic, first_s, second_s = _HEADER.unpack_from(self._map)
        if magic != _MAGIC:
            self._map[:] = bytes(len(self._map))
            first_s = second_s = int(now_s())
        self._began_s = [first_s, second_s]
        self._young = int(second_s > first_s)
        view = memoryview(self._map)
        parts = view[_START : _START + size], view[_START + size :]
        ordered = (parts[self._young], parts[1 - self._young])
        self._bloom = BloomFrameMemory(capacity, key=key, generations=ordered)
        self._write_header()

    def seen(self, digest: bytes) -> bool:
        """Whether a frame with this digest was presented in an earlier session."""
        return self._bloom.seen(digest)

    def remember(self, digest: bytes) -> None:
        """Add a digest once its session has ended."""
        age_s = self._now_s() - self._began_s[self._young]
        if age_s >= self._days * _S_PER_DAY or self._bloom.is_full:
            self._age()
        self._bloom.remember(digest)

    def _age(self) -> None:
        self._bloom.age()
        self._young = 1 - self._young
        # Later than the other by a second at least, so that the younger one is known again after a start.
        self._began_s[self._young] = max(int(self._now_s()), self._began_s[1 - self._young] + 1)
        self._write_header()

    def _write_header(self) -> None:
        _HEADER.pack_into(self._map, 0, _MAGIC, *self._began_s)


def _mapped(path: Path, size: int) -> mmap.mmap:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(handle).st_size != size:
            os.ftruncate(handle, 0)
            os.ftruncate(handle, size)
        return mmap.mmap(handle, size)
    finally:
        os.close(handle)
