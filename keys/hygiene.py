"""Key bytes live in bytearrays and are overwritten as soon as their use is over.

This is best effort: CPython and OpenSSL may keep copies for the length of a call. What is tested is that
none are left once a key store is closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


def wipe(*buffers: bytearray) -> None:
    """Overwrite each buffer with zeros, in place."""
    for buffer in buffers:
        buffer[:] = bytes(len(buffer))


@contextmanager
def wiping(size: int) -> Iterator[bytearray]:
    """A zeroed buffer of `size` bytes that is wiped when the block is left, by whatever way."""
    buffer = bytearray(size)
    try:
        yield buffer
    finally:
        wipe(buffer)
