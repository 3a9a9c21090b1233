"""Where the matcher keeps feature rows, and the plain way: float32, compared by one product."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from facepay.recognition.base import FeatureRows

Scores = npt.NDArray[np.float32]
RowNumbers = npt.NDArray[np.intp]
Found = tuple[RowNumbers, Scores]
"""Rows by number and their comparison scores (cosine, higher is more similar), in any order."""


class RowStore(Protocol):
    """Feature rows numbered from 0 without gaps."""

    @property
    def size(self) -> int:
        """How many rows there are."""

    def append(self, rows: FeatureRows) -> None:
        """Add rows at the end."""

    def drop(self, row: int) -> None:
        """Move the last row to `row` and overwrite it where it was."""

    def wipe(self) -> None:
        """Overwrite every row; the store is not used afterwards."""

    def rows(self, numbers: RowNumbers) -> FeatureRows:
        """Return rows by number as `float32[N, D]`."""

    def errors(self, numbers: RowNumbers) -> Scores:
        """How far at most the score of each row with a unit probe is from that of the row as it came."""

    def best(self, probes: FeatureRows, needed: int) -> list[Found]:
        """For each of `float32[B, D]` return at least the `needed` most similar rows."""


class ExactRows:
    """`float32[capacity, D]`, compared by one product."""

    def __init__(self, dimensions: int, capacity: int = 64) -> None:
        self._rows: FeatureRows = np.zeros((max(1, capacity), dimensions), np.float32)
        self._size = 0

    @classmethod
    def around(cls, rows: FeatureRows) -> ExactRows:
        """A store around `float32[N, D]` as it is, without a copy."""
        made = cls(rows.shape[1], 0)
        made._rows, made._size = rows, len(rows)
        return made

    @property
    def size(self) -> int:
        """How many rows there are."""
        return self._size

    @property
    def dimensions(self) -> int:
        """Length of a row."""
        return int(self._rows.shape[1])

    def first(self, count: int) -> FeatureRows:
        """The first rows where they stand, at most `count`."""
        return self._rows[: min(count, self._size)]

    def append(self, rows: FeatureRows) -> None:
        """Add rows at the end."""
        end = self._size + len(rows)
        if end > len(self._rows):
            grown = np.zeros((max(end, 2 * len(self._rows)), self._rows.shape[1]), np.float32)
            grown[: self._size] = self._rows[: self._size]
            self._rows[:] = 0.0
            self._rows = grown
        self._rows[self._size : end] = rows
        self._size = end

    def drop(self, row: int) -> None:
        """Move the last row to `row` and overwrite it where it was."""
        self._size -= 1
        self._rows[row] = self._rows[self._size]
        self._rows[self._size] = 0.0

    def wipe(self) -> None:
        """Overwrite every row."""
        self._rows[:] = 0.0

    def rows(self, numbers: RowNumbers) -> FeatureRows:
        """Return rows by number."""
        return self._rows[numbers]

    def errors(self, numbers: RowNumbers) -> Scores:
        """Nothing is lost here."""
        return np.zeros(len(numbers), np.float32)

    def best(self, probes: FeatureRows, needed: int) -> list[Found]:
        """Return the `needed` most similar rows of each probe."""
        found = []
        # One probe at a time, so that its scores do not depend on the others in the batch.
        for probe in probes:
            scores: Scores = self._rows[: self._size] @ probe
            top = _top(scores, needed)
            found.append((top, scores[top]))
        return found


def _top(scores: Scores, needed: int) -> RowNumbers:
    count = min(needed, len(scores))
    return np.argpartition(scores, len(scores) - count)[len(scores) - count :]
