"""Whose each row is and which rows are whose: a packed id a row, and a table of row numbers.

A million pseudonyms as Python's own strings, tuples and dictionary would take 250 MB; here they take 24.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from facepay.recognition.packed_ids import Keys, PackedIds, pack, same
from facepay.recognition.rows import RowNumbers
from facepay.types import SubjectId

_FREE = -1
_FIRST_SLOTS = 128
_AT_ONCE = 65_536


class RowOwners:
    """The owner of every row, numbered as in the store; a subject may own several.

    Rows are found through open addressing with linear probing: `slots` hold row numbers, and no free slot
    lies between the place an owner's digest points to and any row of theirs. At most half are taken.
    """

    def __init__(self) -> None:
        self._ids = PackedIds()
        self._slots = np.full(_FIRST_SLOTS, _FREE, np.int32)
        self._subjects = 0
        self._most = 1

    @property
    def size(self) -> int:
        """How many rows have an owner."""
        return self._ids.size

    @property
    def subjects(self) -> int:
        """How many owners there are."""
        return self._subjects

    @property
    def most(self) -> int:
        """No subject ever owned more rows than this; at least 1."""
        return self._most

    def owner(self, row: int) -> SubjectId:
        """Whose a row is."""
        return SubjectId(self._ids[row])

    def rows_of(self, subjects: Collection[SubjectId]) -> RowNumbers:
        """The rows of some subjects in ascending order; who is unknown has none."""
        keys = pack(list(set(subjects)))
        mask, at = len(self._slots) - 1, self._homes(keys)
        waiting = np.arange(len(keys))
        found = [np.empty(0, np.intp)]
        while len(waiting):
            holders = self._slots[at[waiting]]
            taken = holders != _FREE
            waiting, holders = waiting[taken], holders[taken]
            found.append(holders[same(self._ids.keys[holders], keys[waiting])].astype(np.intp))
            at[waiting] = at[waiting] + 1 & mask
        return np.sort(np.concatenate(found))

    def append(self, subjects: Sequence[SubjectId]) -> None:
        """Give the next rows to these subjects, one each."""
        if not subjects:
            return
        first, end = self.size, self.size + len(subjects)
        self._reserve(end)
        self._ids.append(subjects)
        met = self._place(np.arange(first, end, dtype=np.int32))
        self._subjects += int(np.count_nonzero(met == 0))
        self._most = max(self._most, int(met.max()) + 1)

    def forget(self, subject: SubjectId) -> list[int]:
        """Take every row from a subject; the numbers in the order in which the store is to drop them."""
        rows = [int(row) for row in self.rows_of([subject])[::-1]]
        for row in rows:
            self._drop(row)
        if rows:
            self._subjects -= 1
            self._ids.discard(subject)
        return rows

    def _drop(self, row: int) -> None:
        last = self.size - 1
        self._close(self._slot_of(row))
        if row != last:
            self._slots[self._slot_of(last)] = row
        self._ids.drop(row)

    def _slot_of(self, row: int) -> int:
        at, mask = int(self._homes(self._ids.keys[row : row + 1])[0]), len(self._slots) - 1
        while self._slots[at] != row:
            at = at + 1 & mask
        return at

    def _close(self, hole: int) -> None:
        # Whoever may stand nearer to home moves up, so that nobody is looked for past a free slot.
        at, mask = hole, len(self._slots) - 1
        while (row := int(self._slots[at := at + 1 & mask])) != _FREE:
            home = int(self._homes(self._ids.keys[row : row + 1])[0])
            if (at - home & mask) >= (at - hole & mask):
                self._slots[hole], hole = row, at
        self._slots[hole] = _FREE

    def _reserve(self, size: int) -> None:
        if 2 * size > len(self._slots):
            self._slots = np.full(1 << (2 * size - 1).bit_length(), _FREE, np.int32)
            for start in range(0, self.size, _AT_ONCE):
                self._place(np.arange(start, min(start + _AT_ONCE, self.size), dtype=np.int32))

    def _place(self, rows: npt.NDArray[np.int32]) -> npt.NDArray[np.intp]:
        """Put rows into the table; for each, how many rows of its owner it came past."""
        mask, keys = len(self._slots) - 1, self._ids.keys[rows]
        at, met = self._homes(keys), np.zeros(len(rows), np.intp)
        waiting = np.arange(len(rows))
        while len(waiting):
            slots = at[waiting]
            free = self._slots[slots] == _FREE
            self._slots[slots[free]] = rows[waiting[free]]
            # Several may have written to one slot; one of them has it now, and the others go on.
            holders = self._slots[slots]
            goes_on = holders != rows[waiting]
            waiting, holders = waiting[goes_on], holders[goes_on]
            met[waiting] += same(self._ids.keys[holders], keys[waiting])
            at[waiting] = at[waiting] + 1 & mask
        return met

    def _homes(self, keys: Keys) -> RowNumbers:
        # The finaliser of SplitMix64 (Steele, Lea, Flood, 2014): ids may be numbered in sequence.
        mixed = keys[:, 0] * np.uint64(0x9E3779B97F4A7C15) + keys[:, 1]
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray((mixed ^ (mixed >> np.uint64(31))) & np.uint64(len(self._slots) - 1), np.intp)
