"""A block of feature rows rounded to bytes, which knows how far each rounded row is from itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facepay.recognition.base import FeatureRows
from facepay.recognition.int8_product import ROW_ZERO

BLOCK = 65_536
"""Rows in one block: few calls for a large gallery, and a small one claims no memory it does not use."""

_AT_ONCE = 1_024
_STEPS = 127
_RESIDUAL_LEVELS = 16


class RoundedBlock:
    """`BLOCK` rows as `codes` uint8[BLOCK, D] about `ROW_ZERO` and `scales` float32[BLOCK].

    `codes - ROW_ZERO` times `scales` is the rounded row. With `residual`, four more bits a value bring a
    row back to within 0.001 of itself. Of all rows ever written, `longest` is the largest length and
    `worst` the largest distance of a rounded row from the row that was written.
    """

    def __init__(self, dimensions: int, *, residual: bool) -> None:
        # Pages that were never written take no memory, so a block is made whole.
        self.codes = np.zeros((BLOCK, dimensions), np.uint8)
        self.scales = np.zeros(BLOCK, np.float32)
        self.longest = 1.0
        self.worst = 0.0
        # As `worst`, of packed rows, in steps of their scale: much the same for all rows, as no length is.
        self._packed_steps = 0.0
        self._end = 0
        self._residual = np.zeros((BLOCK, (dimensions + 1) // 2), np.uint8) if residual else None

    def write(self, first: int, rows: FeatureRows) -> None:
        """Round rows into the places from `first` on."""
        # A few at a time, so that the rows stay in the processor's cache from step to step.
        for start in range(0, len(rows), _AT_ONCE):
            self._write(first + start, rows[start : start + _AT_ONCE])

    def _write(self, first: int, rows: FeatureRows) -> None:
        end = first + len(rows)
        self._end = max(self._end, end)
        scales = np.maximum(np.abs(rows).max(axis=1), 1e-9) / _STEPS
        rest = rows / scales[:, None]
        whole = np.rint(rest)
        rest -= whole
        self.scales[first:end] = scales
        self.worst = max(self.worst, float((_lengths(rest) * scales).max()))
        self.longest = max(self.longest, float(_lengths(rows).max()))
        whole += ROW_ZERO
        self.codes[first:end] = whole
        if self._residual is not None:
            self._residual[first:end] = packed = _packed(rest)
            rest -= _unpacked(packed, rest.shape[1])
            self._packed_steps = max(self._packed_steps, float(_lengths(rest).max()))

    def read(self, places: npt.NDArray[np.intp]) -> FeatureRows:
        """Return rows as `float32[N, D]`, as close to what was written as this block keeps them."""
        rows = self.codes[places].astype(np.float32)
        rows -= ROW_ZERO
        if self._residual is not None:
            rows += _unpacked(self._residual[places], rows.shape[1])
        rows *= self.scales[places][:, None]
        return rows

    def errors(self, places: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """How far at most each packed row is from the row that was written."""
        return np.asarray(self.scales[places] * np.float32(self._packed_steps))

    def copy(self, place: int, other: RoundedBlock, other_place: int) -> None:
        """Take over a row of another block, or of this one."""
        for mine, theirs in zip(self.parts(), other.parts(), strict=True):
            mine[place] = theirs[other_place]
        self._end = max(self._end, place + 1)
        self.longest = max(self.longest, other.longest)
        self.worst = max(self.worst, other.worst)
        self._packed_steps = max(self._packed_steps, other._packed_steps)

    def clear(self, place: int) -> None:
        """Overwrite a row."""
        for part in self.parts():
            part[place] = 0

    def wipe(self) -> None:
        """Overwrite every row that was ever written; the pages of the others are not even claimed."""
        for part in self.parts():
            part[: self._end] = 0

    def parts(self) -> list[npt.NDArray[np.generic]]:
        """Everything that is kept, by row."""
        parts: list[npt.NDArray[np.generic]] = [self.codes, self.scales]
        return [*parts, self._residual] if self._residual is not None else parts


def _lengths(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(np.sqrt(np.einsum("nd,nd->n", rows, rows)))


def _packed(rest: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    # What rounding left is within half a step; sixteen levels of it fit into four bits.
    levels = np.clip(np.floor(rest * _RESIDUAL_LEVELS) + _RESIDUAL_LEVELS // 2, 0, 15).astype(np.uint8)
    if levels.shape[1] % 2:
        levels = np.pad(levels, ((0, 0), (0, 1)))
    return np.asarray(levels[:, 0::2] | (levels[:, 1::2] << 4), dtype=np.uint8)


def _unpacked(packed: npt.NDArray[np.uint8], dimensions: int) -> npt.NDArray[np.float32]:
    levels = np.empty((len(packed), 2 * packed.shape[1]), np.float32)
    levels[:, 0::2], levels[:, 1::2] = packed & 15, packed >> 4
    levels += 0.5 - _RESIDUAL_LEVELS // 2
    levels /= _RESIDUAL_LEVELS
    return levels[:, :dimensions]
