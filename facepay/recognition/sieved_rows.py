"""Feature rows found through bytes and compared again with a better copy; no candidate is ever lost.

The integer product is only a sieve. Each block knows how far its rounded rows are from themselves, so a bound
on the error of every rounded score is known, and every row that could still be among the best is compared
again: with its float32 copy, or with 12 bits a value where memory counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facepay.recognition.base import FeatureRows
from facepay.recognition.int8_product import PROBE_STEPS, Int8Product
from facepay.recognition.rounded_block import BLOCK, RoundedBlock
from facepay.recognition.rows import ExactRows, Found, RowNumbers, Scores

_FLOAT_SLACK = 1e-5
"""More than float32 arithmetic loses in a product of some thousand unit values."""


class SievedRows:
    """Rows behind a sieve of bytes; the better copy is float32, or 12 bits a value if `compact`."""

    def __init__(self, dimensions: int, product: Int8Product, *, compact: bool) -> None:
        self._product = product
        self._dimensions = dimensions
        self._exact = None if compact else ExactRows(dimensions)
        self._blocks: list[RoundedBlock] = []
        self._size = 0

    @classmethod
    def over(cls, exact: ExactRows, product: Int8Product, *, most: int) -> SievedRows:
        """Lay a sieve over the first `most` rows of a store, which it shares: nothing is copied.

        Whoever keeps the sieve uses the store no more and calls `catch_up`; whoever does not calls `lift`.
        """
        made = cls(exact.dimensions, product, compact=False)
        made._exact = exact
        made._round(exact.first(most))
        return made

    def catch_up(self) -> None:
        """Round the rows that the store underneath has and the sieve has not."""
        if self._exact is not None:
            self._round(self._exact.first(self._exact.size)[self._size :])

    def lift(self) -> None:
        """Overwrite the rounded rows and leave the store underneath as it is."""
        for block in self._blocks:
            block.wipe()

    @property
    def size(self) -> int:
        """How many rows there are."""
        return self._size

    @property
    def compact(self) -> bool:
        """Whether rows are packed and only within 0.001 of what was enrolled."""
        return self._exact is None

    def append(self, rows: FeatureRows) -> None:
        """Add rows at the end."""
        if self._exact is not None:
            self._exact.append(rows)
        self._round(rows)

    def _round(self, rows: FeatureRows) -> None:
        taken = 0
        while taken < len(rows):
            number, place = divmod(self._size, BLOCK)
            if number == len(self._blocks):
                self._blocks.append(RoundedBlock(self._dimensions, residual=self.compact))
            count = min(BLOCK - place, len(rows) - taken)
            self._blocks[number].write(place, rows[taken : taken + count])
            taken += count
            self._size += count

    def drop(self, row: int) -> None:
        """Move the last row to `row` and overwrite it where it was."""
        self._size -= 1
        number, place = divmod(self._size, BLOCK)
        if row != self._size:
            self._blocks[row // BLOCK].copy(row % BLOCK, self._blocks[number], place)
        self._blocks[number].clear(place)
        if self._exact is not None:
            self._exact.drop(row)

    def wipe(self) -> None:
        """Overwrite every row."""
        self.lift()
        if self._exact is not None:
            self._exact.wipe()

    def rows(self, numbers: RowNumbers) -> FeatureRows:
        """Return rows by number; packed ones are within 0.001 of what was enrolled."""
        if self._exact is not None:
            return self._exact.rows(numbers)
        rows = np.empty((len(numbers), self._dimensions), np.float32)
        blocks = numbers // BLOCK
        for number in np.unique(blocks):
            here = blocks == number
            rows[here] = self._blocks[number].read(numbers[here] % BLOCK)
        return rows

    def errors(self, numbers: RowNumbers) -> Scores:
        """How far at most the score of each row with a unit probe is from that of the row as it came."""
        errors = np.zeros(len(numbers), np.float32)
        if self.compact:
            blocks = numbers // BLOCK
            for number in np.unique(blocks):
                here = blocks == number
                errors[here] = self._blocks[number].errors(numbers[here] % BLOCK) + np.float32(_FLOAT_SLACK)
        return errors

    def best(self, probes: FeatureRows, needed: int) -> list[Found]:
        """Return the `needed` most similar rows of each probe, and those that came close."""
        codes, scales = rounded_probes(probes)
        rounded = codes * scales
        lengths = np.linalg.norm(rounded, axis=0)
        misses = np.linalg.norm(probes.T - rounded, axis=0)
        sieves = [_Sieve(needed) for _ in probes]
        for number in range(-(-self._size // BLOCK)):
            block, start = self._blocks[number], number * BLOCK
            count = min(BLOCK, self._size - start)
            scores = self._product.run(block.codes[:count], block.scales[:count], codes)
            for turn, sieve in enumerate(sieves):
                # |p.x - p'.x'| <= |p - p'| |x| + |p'| |x - x'|
                bound = float(misses[turn] * block.longest + lengths[turn] * block.worst) + _FLOAT_SLACK
                sieve.offer(start, scores[turn], float(scales[turn]), bound)
        passed = [sieve.passed() for sieve in sieves]
        return [(maybe, self.rows(maybe) @ probe) for maybe, probe in zip(passed, probes, strict=True)]


class _Sieve:
    """Keeps the rows that may be among the `needed` best, given scores that are off by at most a bound."""

    def __init__(self, needed: int) -> None:
        self._needed = needed
        self._numbers = np.empty(0, np.intp)
        self._low = np.empty(0, np.float32)
        self._high = np.empty(0, np.float32)
        self._surely = -np.inf

    def offer(self, start: int, scores: Scores, scale: float, bound: float) -> None:
        """Take the rounded scores of the rows from `start` on, still to be multiplied by `scale`."""
        if not np.isfinite(self._surely) and len(scores) >= self._needed:
            cut = len(scores) - self._needed
            self._surely = float(np.partition(scores, cut)[cut]) * scale - bound
        near = np.flatnonzero(scores >= np.float32((self._surely - bound - _FLOAT_SLACK) / scale))
        rounded = scores[near] * np.float32(scale)
        self._numbers = np.concatenate([self._numbers, near + start])
        self._low = np.concatenate([self._low, rounded - np.float32(bound)])
        self._high = np.concatenate([self._high, rounded + np.float32(bound)])
        if len(self._low) >= self._needed:
            cut = len(self._low) - self._needed
            self._surely = max(self._surely, float(np.partition(self._low, cut)[cut]))

    def passed(self) -> RowNumbers:
        """Return the rows that passed."""
        return self._numbers[self._high >= np.float32(self._surely)]


def rounded_probes(probes: FeatureRows) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Round `float32[B, D]` to `int8[D, B]` within `PROBE_STEPS`, and the scale of each."""
    scales = np.maximum(np.abs(probes).max(axis=1), 1e-9).astype(np.float32) / np.float32(PROBE_STEPS)
    codes = np.rint(probes / scales[:, None]).astype(np.int8)
    return np.ascontiguousarray(codes.T), scales
