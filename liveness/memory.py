"""Memory of frames of earlier sessions: a Bloom filter of digests, no picture in it.

Two generations, each for half the time kept, so that old frames are forgotten without a list of
them. At a million frames one in a million unknown frames is taken for a known one.
"""

from __future__ import annotations

import hashlib
import math


class BloomFrameMemory:
    """Remembers digests of frames.

    Args:
        capacity: frames per generation.
        false_positives: share of unknown frames that may be taken for known ones.
    """

    def __init__(self, capacity: int = 1_000_000, false_positives: float = 1e-6) -> None:
        self._bits = max(64, math.ceil(-capacity * math.log(false_positives) / math.log(2) ** 2))
        self._hashes = max(1, round(self._bits / capacity * math.log(2)))
        self._capacity = capacity
        self._young = bytearray((self._bits + 7) // 8)
        self._old = bytearray(len(self._young))
        self._count = 0

    def seen(self, digest: bytes) -> bool:
        """Whether this digest was remembered in this or the last generation."""
        places = self._places(digest)
        return any(
            all(part[place >> 3] & (1 << (place & 7)) for place in places)
            for part in (self._young, self._old)
        )

    def remember(self, digest: bytes) -> None:
        """Add a digest; a full generation becomes the old one."""
        if self._count >= self._capacity:
            self.age()
        for place in self._places(digest):
            self._young[place >> 3] |= 1 << (place & 7)
        self._count += 1

    def age(self) -> None:
        """Start a new generation; what was old is forgotten. Call it every fifteen days."""
        self._old, self._young, self._count = self._young, bytearray(len(self._young)), 0

    def _places(self, digest: bytes) -> list[int]:
        stream = hashlib.shake_128(digest).digest(8 * self._hashes)
        return [int.from_bytes(stream[i : i + 8]) % self._bits for i in range(0, len(stream), 8)]
