"""1:1 error rates: FMR and FNMR at a threshold, the threshold for a target FMR, and what cannot be shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facepay.evaluation.comparisons import BINS, Comparisons, distinct_pairs
from facepay.evaluation.intervals import FEW, Rate, bootstrap, clustered, rule_of_three, score_interval

TARGETS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""False match rates that reports ask for."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Both error rates at one threshold.

    `supported` is false where the sample is too small to show `target`: fewer than ten false matches are
    expected at it, so that the threshold rests on a handful of pairs.
    """

    target: float
    threshold: float
    fmr: Rate
    fnmr: Rate
    supported: bool


def threshold_for(comparisons: Comparisons, target: float) -> float:
    """Lowest threshold whose observed FMR is at most `target` (cosine, higher is stricter)."""
    allowed = int(target * comparisons.impostors)
    if allowed < len(comparisons.tail):
        return float(np.nextafter(comparisons.tail[allowed], comparisons.tail.dtype.type(np.inf)))
    above = np.cumsum(comparisons.histogram[::-1])
    empty = int(np.searchsorted(above, allowed, side="right"))
    low, high = comparisons.span
    return high - (high - low) * empty / BINS


def operating_point(comparisons: Comparisons, target: float) -> OperatingPoint:
    """Threshold and both rates, with intervals over identities, for a target FMR 0..1."""
    threshold = threshold_for(comparisons, target)
    return OperatingPoint(
        target,
        threshold,
        fmr_at(comparisons, threshold),
        fnmr_at(comparisons, threshold),
        supported=target * comparisons.impostors >= 10,
    )


def operating_points(
    comparisons: Comparisons, targets: Iterable[float] = TARGETS
) -> tuple[OperatingPoint, ...]:
    """One operating point a target."""
    return tuple(operating_point(comparisons, target) for target in targets)


def fnmr_at(comparisons: Comparisons, threshold: float) -> Rate:
    """False non-match rate; interval by bootstrap over identities."""
    return clustered(comparisons.genuine < threshold, comparisons.genuine_identity)


def fmr_at(comparisons: Comparisons, threshold: float) -> Rate:
    """False match rate; interval by two-way bootstrap over identities within the exact tail.

    Where fewer than `FEW` pairs of people match falsely, the interval is at least as wide as Wilson's with
    each pair of people as one trial. Of looser thresholds than the tail holds it is not known who matched
    whom, so that each person counts as one trial, which is wider than any resampling.
    """
    errors, trials = comparisons.false_matches(threshold), comparisons.impostors
    if not errors:
        return Rate(0, trials, 0.0, rule_of_three(comparisons.impostor_pairs))
    if errors > len(comparisons.tail):
        return Rate(errors, trials, *score_interval(errors / trials, comparisons.identities))
    first, second = comparisons.tail_a[:errors], comparisons.tail_b[:errors]

    def rate(weight: npt.NDArray[np.float64]) -> float:
        return _share(float((weight[first] * weight[second]).sum()), comparisons.weighted_impostors(weight))

    low, high = bootstrap(rate, comparisons.identities)
    if len(distinct_pairs(first, second)) < FEW:
        below, above = score_interval(errors / trials, comparisons.impostor_pairs)
        low, high = min(low, below), max(high, above)
    return Rate(errors, trials, low, high)


def det_curve(comparisons: Comparisons, points: int = 200) -> npt.NDArray[np.float64]:
    """Detection error trade-off: `float64[points, 3]` of threshold, FMR and FNMR, loosest threshold first."""
    low = threshold_for(comparisons, 0.1)
    lowest, highest = comparisons.span
    # A little beyond the highest impostor, whatever the scores' range, so that the curve ends at FMR 0.
    beyond = max(float(comparisons.tail[0]), low) + (highest - lowest) / BINS
    thresholds = np.linspace(low, beyond, points)
    genuine = np.sort(comparisons.genuine)
    fmr = [comparisons.false_matches(float(t)) / comparisons.impostors for t in thresholds]
    fnmr = np.searchsorted(genuine, thresholds) / len(genuine)
    return np.stack([thresholds, fmr, fnmr], axis=1)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
