"""Where the matcher keeps feature rows: exact in float32, found faster through int8, or packed small.

All three give the same candidates as brute force would. The int8 product is only a first sieve: each row
knows how far its rounded copy is from itself, so a bound on the error of every rounded score is known,
and every row that could still be among the best is compared again with its better copy.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from facepay.recognition.base import FeatureRows
from facepay.recognition.int8_product import Int8Product

Scores = npt.NDArray[np.float32]
RowNumbers = npt.NDArray[np.intp]


class RowStore(Protocol):
    """Feature rows numbered from 0 without gaps."""

    @property
    def size(self) -> int:
        """How many rows there are."""

    @property
    def compact(self) -> bool:
        """Whether rows are packed and only within 0.001 of what was enrolled."""

    def append(self, rows: FeatureRows) -> None:
        """Add rows at the end."""

    def drop(self, row: int) -> None:
        """Move the last row to `row` and forget it where it was."""

    def rows(self, numbers: RowNumbers) -> FeatureRows:
        """Return rows by number as `float32[N, D]`."""

    def best(self, probe: npt.NDArray[np.float32], needed: int) -> tuple[RowNumbers, Scores]:
        """Return at least the `needed` most similar rows and their scores, in any order."""


class ExactRows:
    """`float32[capacity, D]`, compared by one product."""

    def __init__(self, dimensions: int, capacity: int = 64) -> None:
        self._rows: FeatureRows = np.zeros((max(1, capacity), dimensions), np.float32)
        self._size = 0

    @property
    def size(self) -> int:
        """How many rows there are."""
        return self._size

    @property
    def compact(self) -> bool:
        """Exact rows are never packed."""
        return False

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

    def rows(self, numbers: RowNumbers) -> FeatureRows:
        """Return rows by number."""
        return self._rows[numbers]

    def best(self, probe: npt.NDArray[np.float32], needed: int) -> tuple[RowNumbers, Scores]:
        """Return the `needed` most similar rows and their scores."""
        scores: Scores = self._rows[: self._size] @ probe
        top = _top(scores, needed)
        return top, scores[top]


class SievedRows:
    """Rows behind an int8 sieve; the better copy is float32, or 12 bits a value where memory counts."""

    def __init__(self, dimensions: int, product: Int8Product, *, compact: bool) -> None:
        self._product = product
        self._dimensions = dimensions
        self._exact = None if compact else ExactRows(dimensions)
        self._blocks: list[_Block] = []
        self._size = 0

    @property
    def size(self) -> int:
        """How many rows there are."""
        return self._size

    @property
    def compact(self) -> bool:
        """Whether the better copies are packed."""
        return self._exact is None

    def append(self, rows: FeatureRows) -> None:
        """Add rows at the end."""
        if self._exact is not None:
            self._exact.append(rows)
        taken = 0
        while taken < len(rows):
            number, column = divmod(self._size, BLOCK)
            if number == len(self._blocks):
                self._blocks.append(_Block(self._dimensions, residual=self._exact is None))
            count = min(BLOCK - column, len(rows) - taken)
            self._blocks[number].write(column, rows[taken : taken + count])
            taken += count
            self._size += count

    def drop(self, row: int) -> None:
        """Move the last row to `row` and overwrite it where it was."""
        self._size -= 1
        number, column = divmod(self._size, BLOCK)
        if row != self._size:
            self._blocks[row // BLOCK].copy(row % BLOCK, self._blocks[number], column)
        self._blocks[number].clear(column)
        if self._exact is not None:
            self._exact.drop(row)

    def rows(self, numbers: RowNumbers) -> FeatureRows:
        """Return rows by number; packed ones are within 0.001 of what was enrolled."""
        if self._exact is not None:
            return self._exact.rows(numbers)
        found = [self._blocks[row // BLOCK].read(int(row % BLOCK)) for row in numbers]
        return np.stack(found) if found else np.empty((0, self._dimensions), np.float32)

    def best(self, probe: npt.NDArray[np.float32], needed: int) -> tuple[RowNumbers, Scores]:
        """Return the `needed` most similar rows, and those that came close, with their scores."""
        codes, scale = rounded_probe(probe)
        rounded = (codes.astype(np.float32) - PROBE_ZERO) * np.float32(scale)
        probe_error = float(np.linalg.norm(probe - rounded))
        sieve = _Sieve(needed)
        for number, block in enumerate(self._blocks):
            start, count = number * BLOCK, min(BLOCK, self._size - number * BLOCK)
            if count > 0:
                products = self._product.run(codes, block.codes)[:count] - PROBE_ZERO * block.sums[:count]
                scores = products * (block.scales[:count] * np.float32(scale))
                # |p.x - p'.x'| <= |p - p'| |x| + |p'| |x - x'|, with |x| = 1 and |p'| <= 1 + |p - p'|.
                bound = probe_error + (1 + probe_error) * float(block.errors[:count].max())
                sieve.offer(start, scores, bound + _FLOAT_SLACK)
        maybe = sieve.passed()
        return maybe, self.rows(maybe) @ probe


class _Sieve:
    """Keeps the rows that may be among the `needed` best, given scores that are off by at most a bound."""

    def __init__(self, needed: int) -> None:
        self._needed = needed
        self._numbers = np.empty(0, np.intp)
        self._low = np.empty(0, np.float32)
        self._high = np.empty(0, np.float32)
        self._surely = -np.inf

    def offer(self, start: int, scores: Scores, bound: float) -> None:
        """Take the rounded scores of the rows from `start` on."""
        if not np.isfinite(self._surely) and len(scores) >= self._needed:
            cut = len(scores) - self._needed
            self._surely = float(np.partition(scores, cut)[cut]) - bound
        near = np.flatnonzero(scores >= np.float32(self._surely - bound))
        self._numbers = np.concatenate([self._numbers, near + start])
        self._low = np.concatenate([self._low, scores[near] - np.float32(bound)])
        self._high = np.concatenate([self._high, scores[near] + np.float32(bound)])
        if len(self._low) >= self._needed:
            cut = len(self._low) - self._needed
            self._surely = max(self._surely, float(np.partition(self._low, cut)[cut]))

    def passed(self) -> RowNumbers:
        """Return the rows that passed."""
        return self._numbers[self._high >= np.float32(self._surely)]


BLOCK = 16_384
"""Rows in one int8 block; a product over one block stays in the caches of small processors."""

PROBE_ZERO = 64
_FLOAT_SLACK = 1e-5
_PROBE_STEPS, _ROW_STEPS, _RESIDUAL_STEPS = 63, 127, 8


def rounded_probe(probe: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.uint8], float]:
    """Round a probe to seven bits about `PROBE_ZERO`.

    Seven, because processors without a dot-product instruction add two products in 16 bits, and eight
    bits times eight would overflow there without a word.
    """
    scale = float(np.abs(probe).max()) / _PROBE_STEPS or 1.0
    return (np.rint(probe / scale) + PROBE_ZERO).astype(np.uint8), scale


class _Block:
    """`BLOCK` rounded rows as columns: `int8[D, BLOCK]` with scale, sum and rounding error of each."""

    def __init__(self, dimensions: int, *, residual: bool) -> None:
        self.codes = np.zeros((dimensions, BLOCK), np.int8)
        self.scales = np.zeros(BLOCK, np.float32)
        self.sums = np.zeros(BLOCK, np.int32)
        self.errors = np.zeros(BLOCK, np.float32)
        self._residual = np.zeros((BLOCK, (dimensions + 1) // 2), np.uint8) if residual else None

    def write(self, column: int, rows: FeatureRows) -> None:
        end = column + len(rows)
        scales = np.maximum(np.abs(rows).max(axis=1), 1e-9) / _ROW_STEPS
        exact = rows / scales[:, None]
        codes = np.rint(exact)
        self.codes[:, column:end] = codes.T
        self.scales[column:end] = scales
        self.sums[column:end] = codes.sum(axis=1)
        self.errors[column:end] = np.linalg.norm(exact - codes, axis=1) * scales
        if self._residual is not None:
            self._residual[column:end] = _packed(exact - codes)

    def read(self, column: int) -> npt.NDArray[np.float32]:
        row = self.codes[:, column].astype(np.float32)
        if self._residual is not None:
            row += _unpacked(self._residual[column], len(row))
        return np.asarray(row * self.scales[column], np.float32)

    def copy(self, column: int, other: _Block, from_column: int) -> None:
        self.codes[:, column] = other.codes[:, from_column]
        for mine, theirs in zip(self._parts(), other._parts(), strict=True):
            mine[column] = theirs[from_column]

    def clear(self, column: int) -> None:
        self.codes[:, column] = 0
        for part in self._parts():
            part[column] = 0

    def _parts(self) -> list[npt.NDArray[np.generic]]:
        parts: list[npt.NDArray[np.generic]] = [self.scales, self.sums, self.errors]
        return [*parts, self._residual] if self._residual is not None else parts


def _packed(rest: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    # What rounding left is within half a step; sixteen levels of it fit into four bits.
    levels = np.clip(np.floor(rest * 2 * _RESIDUAL_STEPS) + _RESIDUAL_STEPS, 0, 15).astype(np.uint8)
    if levels.shape[1] % 2:
        levels = np.pad(levels, ((0, 0), (0, 1)))
    return np.asarray(levels[:, 0::2] | (levels[:, 1::2] << 4), dtype=np.uint8)


def _unpacked(packed: npt.NDArray[np.uint8], dimensions: int) -> npt.NDArray[np.float32]:
    levels = np.empty(2 * len(packed), np.float32)
    levels[0::2], levels[1::2] = packed & 15, packed >> 4
    return np.asarray((levels[:dimensions] - _RESIDUAL_STEPS + 0.5) / (2 * _RESIDUAL_STEPS), np.float32)


def _top(scores: Scores, needed: int) -> RowNumbers:
    count = min(needed, len(scores))
    return np.argpartition(scores, len(scores) - count)[len(scores) - count :]
