"""What a score is worth: from similarity to false match rate, as measured, and back to a threshold.

One comparison with a stranger falsely matches at the rate FMR(score). A search over n references gives
a stranger n chances, so to falsely identify at most one stranger in 1/FPIR the threshold must hold
FMR = 1 - (1 - FPIR)^(1/n). Between the measured points the logarithm of the rate is interpolated;
beyond them a fitted tail speaks, and the threshold says that it is extrapolated.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from facepay.errors import ModelMismatch, SettingsError
from facepay.types import ModelId

_HIGHEST_SCORE = 0.999
_LARGEST_GALLERY = 10_000_000


@dataclass(frozen=True, slots=True)
class Tail:
    """Generalised Pareto law above `start`, which strangers exceed at `rate`; shape >= 0, scale > 0."""

    start: float
    rate: float
    shape: float
    scale: float

    def rate_above(self, score: float) -> float:
        """Return the false match rate at a score of at least `start`."""
        excess = max(0.0, score - self.start) / self.scale
        if self.shape < 1e-9:
            return self.rate * math.exp(-excess)
        return float(self.rate * (1 + self.shape * excess) ** (-1 / self.shape))

    def score_at(self, rate: float) -> float:
        """Return the score whose false match rate is `rate`, which is at most that of `start`."""
        ratio = self.rate / rate
        if self.shape < 1e-9:
            return self.start + self.scale * math.log(ratio)
        return float(self.start + self.scale / self.shape * (ratio**self.shape - 1))


@dataclass(frozen=True, slots=True)
class Misses:
    """False non-match rates: below `scores[i]` lie `rates[i]` of one person's comparisons; both rise."""

    scores: tuple[float, ...]
    rates: tuple[float, ...]

    def rate_at(self, threshold: float) -> float:
        """Return the share of an enrolled person's photos that a threshold misses, 0..1."""
        return float(np.interp(threshold, self.scores, self.rates, left=0.0, right=1.0))


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a calibration comes from; a threshold without it is a number someone liked."""

    date: str
    data: str
    data_sha256: str
    identities: int
    impostor_comparisons: int
    genuine_comparisons: int
    command: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Threshold:
    """Least score -1..1 that identifies, and what it promises.

    `fmr` is the false match rate of one comparison that it holds; `extrapolated` tells that no
    measurement reaches that far and a fitted tail speaks.
    """

    score: float
    fmr: float
    extrapolated: bool
    gallery_size: int
    target_fpir: float


@dataclass(frozen=True, slots=True)
class ThresholdOnRecord:
    """A threshold as the measurement stated it: for how many references, which target, how certain.

    `low` and `high` bound the score at 95 %, by a bootstrap over people; `fmr` is the rate of one comparison.
    """

    references: int
    target_fpir: float
    fmr: float
    score: float
    low: float
    high: float
    extrapolated: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """Measured false match rates of one recogniser behind one detector.

    `scores` ascends and `rates` descends; `smallest_shown` is the lowest rate the data can show.
    `borrowed` says that the curve is another recogniser's; no file says so, for no file holds such a one.
    `record` are thresholds for a reader; the terminal computes its own by `threshold_for`.
    `misses` is None where nobody was photographed twice.
    """

    recogniser: ModelId
    detector_sha256: str
    scores: tuple[float, ...]
    rates: tuple[float, ...]
    tail: Tail
    smallest_shown: float
    provenance: Provenance
    borrowed: bool = False
    record: tuple[ThresholdOnRecord, ...] = ()
    misses: Misses | None = None

    def fmr_at(self, score: float) -> float:
        """Return the false match rate 0..1 of a single comparison at a score."""
        if score >= self.tail.start:
            return self.tail.rate_above(score)
        if score <= self.scores[0]:
            return 1.0
        for (low, high), (above, below) in zip(
            pairwise(self.scores),
            pairwise(self.rates),
            strict=True,
        ):
            if low <= score <= high:
                share = (score - low) / (high - low)
                return math.exp((1 - share) * math.log(above) + share * math.log(below))
        return self.rates[-1]

    def threshold_for(self, gallery_size: int, target_fpir: float) -> Threshold:
        """Return the threshold for a search over `gallery_size` references.

        Args:
            gallery_size: references compared; after the digits only those that are left.
            target_fpir: share of strangers that may be identified as someone, 0..1 exclusive.

        Raises:
            SettingsError: the target is no rate.
        """
        if not 0.0 < target_fpir < 1.0:
            raise SettingsError(f"target_fpir must lie between 0 and 1, not {target_fpir}")
        rate = -math.expm1(math.log1p(-target_fpir) / max(1, gallery_size))
        score = min(_HIGHEST_SCORE, self._score_at(rate))
        return Threshold(score, rate, rate < self.smallest_shown, gallery_size, target_fpir)

    def largest_gallery(self, target_fpir: float, most_missed: float) -> int | None:
        """Return how many references may be searched by the face alone, or None where misses are unknown.

        More references demand a higher threshold, which misses more of the enrolled.

        Args:
            target_fpir: share of strangers that may be identified as someone, 0..1 exclusive.
            most_missed: share of an enrolled person's photos that may be missed, 0..1.

        Returns:
            The largest size that holds both, at least 1.
        """
        misses = self.misses
        if misses is None:
            return None
        sizes = range(1, _LARGEST_GALLERY)
        return max(
            1,
            bisect_right(
                sizes,
                most_missed,
                key=lambda size: misses.rate_at(self.threshold_for(size, target_fpir).score),
            ),
        )

    def _score_at(self, rate: float) -> float:
        if rate <= self.tail.rate:
            return self.tail.score_at(rate)
        if rate >= self.rates[0]:
            return self.scores[0]
        for index in range(1, len(self.rates)):
            above, below = self.rates[index - 1], self.rates[index]
            if below <= rate:
                share = (math.log(above) - math.log(rate)) / (math.log(above) - math.log(below))
                return self.scores[index - 1] + share * (self.scores[index] - self.scores[index - 1])
        # The digits of a file leave a gap between the last point and the tail.
        return self.tail.start

    def require_for(self, recogniser: ModelId, detector_sha256: str) -> None:
        """Refuse to speak for other models.

        Raises:
            ModelMismatch: the calibration was made with another recogniser or detector.
        """
        if (recogniser, detector_sha256) != (self.recogniser, self.detector_sha256):
            raise ModelMismatch(
                f"the calibration was made with recogniser {self.recogniser[:12]} and detector "
                f"{self.detector_sha256[:12]}, other models than this pack's {recogniser[:12]} and "
                f"{detector_sha256[:12]}; run: facepay calibrate"
            )
