"""Memory of frames of earlier sessions: a Bloom filter of keyed digests, no picture in it.

Two generations, each for half the time kept, so that old frames are forgotten without a list of
them. At a million frames one in a million unknown frames is taken for a known one. Digests are keyed,
so that whoever reads the bits cannot ask them whether a picture was ever shown. The bits live in
buffers that are passed in, for example a mapped file: a power cut can lose bits and never sets any.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np

CAPACITY = 1_000_000
FALSE_POSITIVES = 1e-6


class BloomFrameMemory:
    """Remembers digests of frames.

    Args:
        capacity: frames per generation.
        false_positives: share of unknown frames that may be taken for known ones.
        key: makes the bits useless to whoever has not got it.
        generations: bits of the young and the old generation, `bytes_for` each; in memory without.

    Raises:
        ValueError: a generation has another size.
    """

    def __init__(
        self,
        capacity: int = CAPACITY,
        false_positives: float = FALSE_POSITIVES,
        *,
        key: bytes = b"",
        generations: tuple[memoryview, memoryview] | None = None,
    ) -> None:
        size = bytes_for(capacity, false_positives)
        self._hashes = max(1, round(8 * size / capacity * math.log(2)))
        self._bits = 8 * size
        self._capacity = capacity
        self._key = key
        self._young, self._old = generations or (memoryview(bytearray(size)), memoryview(bytearray(size)))
        if not len(self._young) == len(self._old) == size:
            raise ValueError(f"a generation of this memory has {size} bytes")
        self._count = _set_bits(self._young) // self._hashes

    @property
    def is_full(self) -> bool:
        """Whether the young generation holds what it can, so that the memory has to age."""
        return self._count >= self._capacity

    def seen(self, digest: bytes) -> bool:
        """Whether this digest was remembered in this or the last generation."""
        places = self._places(digest)
        return any(
            all(part[place >> 3] & (1 << (place & 7)) for place in places)
            for part in (self._young, self._old)
        )

    def remember(self, digest: bytes) -> None:
        """Add a digest; a full generation becomes the old one."""
        if self.is_full:
            self.age()
        for place in self._places(digest):
            self._young[place >> 3] |= 1 << (place & 7)
        self._count += 1

    def age(self) -> None:
        """Start a new generation; what was old is forgotten. Call it at half the time to be kept."""
        self._old, self._young, self._count = self._young, self._old, 0
        self._young[:] = bytes(len(self._young))

    def _places(self, digest: bytes) -> list[int]:
        stream = hashlib.shake_128(self._key + digest).digest(8 * self._hashes)
        return [int.from_bytes(stream[i : i + 8]) % self._bits for i in range(0, len(stream), 8)]


def bytes_for(capacity: int = CAPACITY, false_positives: float = FALSE_POSITIVES) -> int:
    """Bytes of one generation."""
    bits = max(64, math.ceil(-capacity * math.log(false_positives) / math.log(2) ** 2))
    return (bits + 7) // 8


def _set_bits(part: memoryview) -> int:
    return int(np.bitwise_count(np.frombuffer(part, dtype=np.uint8)).sum())
