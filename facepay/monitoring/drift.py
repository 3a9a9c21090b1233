"""Drift without ground truth: how much what was seen lately differs from what was seen first.

The first `WINDOW` observations are the baseline, the latest `WINDOW` are compared with it by the population
stability index. Observations are counted into bins as they come and kept as blocks of `TOGETHER`, so that a
window can outlive the process without any single observation being kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

TOGETHER = 50
"""How many observations make a block; a margin is published no sooner than with so many others."""

WINDOW = 500
"""How many recent observations the drift alarm looks at."""

BINS = 10
DRIFT_ALARM = 0.25
"""Population stability index from which a distribution is said to have shifted; 0.1 is a change to watch."""

Counts = tuple[int, ...]
"""How many observations fell into each of `BINS` equal bins of 0..1."""


class Watched(Enum):
    """Distributions that are watched for drift; values run from 0 to 1."""

    QUALITY = "quality"
    MARGIN = "margin"


def population_stability_index(expected: Sequence[float], observed: Sequence[float]) -> float:
    """Compare two histograms with the same bins; 0 is no change.

    Counts are smoothed by half an observation, so that an empty bin does not make the index infinite.
    """
    before, after = np.asarray(expected, float) + 0.5, np.asarray(observed, float) + 0.5
    if before.shape != after.shape or before.ndim != 1:
        raise ValueError(f"histograms of {before.shape} and {after.shape} bins cannot be compared")
    before, after = before / before.sum(), after / after.sum()
    return float(((after - before) * np.log(after / before)).sum())


def bin_of(value: float) -> int:
    """The bin, 0 to `BINS` - 1, that a share falls into."""
    return min(int(value * BINS), BINS - 1)


def middle_of(value: float) -> float:
    """The middle of the bin that a share falls into."""
    return (bin_of(value) + 0.5) / BINS


@dataclass
class Course:
    """One distribution over time; `begun` is the block that is not full yet."""

    baseline: Counts | None = None
    blocks: deque[Counts] = field(default_factory=lambda: deque(maxlen=WINDOW // TOGETHER))
    begun: list[int] = field(default_factory=lambda: [0] * BINS)

    def add(self, value: float) -> bool:
        """Count one observation 0..1 and tell whether it filled a block."""
        self.begun[bin_of(value)] += 1
        if sum(self.begun) < TOGETHER:
            return False
        self.blocks.append(tuple(self.begun))
        self.begun = [0] * BINS
        if self.baseline is None and len(self.blocks) == self.blocks.maxlen:
            self.baseline = self._summed()
            self.blocks.clear()
        return True

    def drift(self) -> float | None:
        """The index of the latest full blocks; None until baseline and window are full."""
        if self.baseline is None or len(self.blocks) != self.blocks.maxlen:
            return None
        return population_stability_index(self.baseline, self._summed())

    def _summed(self) -> Counts:
        return tuple(sum(bins) for bins in zip(*self.blocks, strict=True))
