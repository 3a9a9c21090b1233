"""Key bytes live in bytearrays and are overwritten as soon as their use is over.

This is best effort: CPython and OpenSSL may keep copies for the length of a call. What is tested is that
none are left once a key store is closed.
"""

from __future__ import annotations

import ctypes
import resource
from functools import cache

from keys.errors import KeysError

_PR_SET_DUMPABLE = 4
"""prctl(2): whether a core dump and an attaching debugger of the same user are allowed."""


def wipe(*buffers: bytearray) -> None:
    """Overwrite each buffer with zeros, in place."""
    for buffer in buffers:
        buffer[:] = bytes(len(buffer))


class wiping:  # noqa: N801 - reads as a verb where it is used
    """A zeroed buffer of `size` bytes that is wiped when the block is left, by whatever way."""

    __slots__ = ("_buffer",)

    def __init__(self, size: int) -> None:
        self._buffer = bytearray(size)

    def __enter__(self) -> bytearray:
        return self._buffer

    def __exit__(self, *_: object) -> None:
        self._buffer[:] = bytes(len(self._buffer))


def fill_random(buffer: bytearray) -> None:
    """Fill a buffer with key material from the kernel, in place.

    `os.urandom` would return an immutable object that cannot be wiped.
    """
    size = len(buffer)
    if _libc().getrandom(_bytes_type(size).from_buffer(buffer), size, 0) != size:
        raise KeysError("the system's random source does not answer")


@cache
def _bytes_type(size: int) -> type[ctypes.Array[ctypes.c_char]]:
    return ctypes.c_char * size


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def harden_process() -> tuple[str, ...]:
    """Keep this process's memory to itself: no core dump, not dumpable, not traceable by its own user.

    Returns what could not be had, in words for the operator; nothing is refused. Linux only.
    """
    failed = []
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError) as error:
        failed.append(f"core dumps stay possible: {error}")
    try:
        status = _libc().prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    except (OSError, AttributeError):
        status = -1
    if status:
        failed.append("the process stays dumpable: this system has no prctl")
    return tuple(failed)
