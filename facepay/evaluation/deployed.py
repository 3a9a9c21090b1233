"""What the thresholds that a terminal would use do on the data at hand.

A calibration was made once, perhaps on other photos; whether its thresholds hold here is what an operator has
to know before the shop opens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from facepay.evaluation.comparisons import Comparisons
from facepay.evaluation.intervals import Rate
from facepay.evaluation.verification import fmr_at, fnmr_at
from facepay.recognition.calibration import Calibration

GALLERIES = (1, 10, 100, 1_000, 10_000)
"""For how many references thresholds are looked at."""


@dataclass(frozen=True, slots=True)
class DeployedPoint:
    """A threshold of the calibration for so many references, and both rates of one comparison at it.

    `allowed` is the false match rate of one comparison that the target FPIR leaves, 0..1.
    """

    references: int
    allowed: float
    threshold: float
    extrapolated: bool
    fmr: Rate
    fnmr: Rate

    @property
    def exceeded(self) -> bool:
        """Whether this data contradicts the calibration: even the lower bound is more than is allowed."""
        return self.fmr.low > self.allowed


def at_deployed_thresholds(
    comparisons: Comparisons,
    calibration: Calibration,
    target_fpir: float,
    galleries: Sequence[int] = GALLERIES,
) -> tuple[DeployedPoint, ...]:
    """Both rates at the thresholds that the terminal would use, by number of references."""
    thresholds = [calibration.threshold_for(size, target_fpir) for size in galleries]
    return tuple(
        DeployedPoint(
            made.gallery_size,
            made.fmr,
            made.score,
            made.extrapolated,
            fmr_at(comparisons, made.score),
            fnmr_at(comparisons, made.score),
        )
        for made in thresholds
    )
