"""Ids in sixteen bytes each, numbered from 0 without gaps.

Ids of the product are 32 hexadecimal digits, so that 16 bytes hold one. Any other id stands under its digest,
and is kept aside as it was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
"""`uint64[N, 2]`: the 16 bytes of each id."""

_BYTES = 16
_FIRST = 64


class PackedIds:
    """A list of ids; `keys` are its bytes, of which the first `size` count."""

    def __init__(self) -> None:
        self.keys: Keys = np.zeros((_FIRST, 2), np.uint64)
        self.size = 0
        self._others: dict[bytes, str] = {}

    def __getitem__(self, number: int) -> str:
        key = self.keys[number].tobytes()
        return self._others[key] if key in self._others else key.hex()

    def append(self, ids: Sequence[str]) -> None:
        """Add ids at the end."""
        end = self.size + len(ids)
        if end > len(self.keys):
            grown = np.zeros((max(end, 2 * len(self.keys)), 2), np.uint64)
            grown[: self.size] = self.keys[: self.size]
            self.keys = grown
        self.keys[self.size : end] = pack(ids)
        self.size = end
        if _digits(ids) is None:
            others = [one for one in ids if _digits([one]) is None]
            self._others |= {pack([one]).tobytes(): one for one in others}

    def drop(self, number: int) -> None:
        """Move the last id to `number` and overwrite it where it was."""
        self.size -= 1
        self.keys[number] = self.keys[self.size]
        self.keys[self.size] = 0

    def discard(self, one: str) -> None:
        """Forget how an id was written that is in the list no more."""
        self._others.pop(pack([one]).tobytes(), None)


def pack(ids: Sequence[str]) -> Keys:
    """The 16 bytes of each id, `uint64[N, 2]`."""
    raw = _digits(ids)
    if raw is None:
        raw = b"".join(_digits([one]) or blake2b(one.encode(), digest_size=_BYTES).digest() for one in ids)
    return np.frombuffer(raw, np.uint64).reshape(-1, 2)


def same(some: Keys, others: Keys) -> npt.NDArray[np.bool_]:
    """Which of two lists of as many ids are equal, place by place."""
    return np.asarray((some == others).all(axis=1))


def _digits(ids: Sequence[str]) -> bytes | None:
    """The bytes of ids that are 32 lowercase hexadecimal digits each; None where one is not."""
    text = "".join(ids)
    if any(len(one) != 2 * _BYTES for one in ids):
        return None
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return None
    return raw if raw.hex() == text else None
