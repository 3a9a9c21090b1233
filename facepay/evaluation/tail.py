"""Score -> false match rate beyond what the data shows: a generalised Pareto fit of the impostor tail.

Above a high quantile the excesses of any well-behaved distribution approach a generalised Pareto law
(peaks over threshold; Pickands 1975). It is fitted by maximum likelihood with the very top censored, because
that is where the label errors of photo collections lie. A threshold that lies beyond the observed tail is
an extrapolation, and every result says whether it is one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facepay.errors import InputUnusable
from facepay.evaluation.comparisons import Comparisons

Doubles = npt.NDArray[np.float64]

EXCESSES = 2000
"""How many of the highest impostor scores are fitted; at least `MINIMUM` are needed."""

MINIMUM = 200

LABEL_ERRORS = 0.02
"""Share of the fitted scores, from the top, that are counted but not fitted to."""


@dataclass(frozen=True, slots=True)
class ImpostorTail:
    """Tail of the impostor distribution: `P(score > t)` for `t` at or above `start`.

    `shape` and `scale` are those of the generalised Pareto law, `mass` is the observed share above `start`,
    `highest` the highest impostor score seen, `impostors` how many were compared.
    """

    start: float
    shape: float
    scale: float
    mass: float
    highest: float
    impostors: int

    def fmr(self, threshold: float) -> float:
        """False match rate at a threshold at or above `start`."""
        excess = max(0.0, threshold - self.start) / self.scale
        if abs(self.shape) < 1e-9:
            return float(self.mass * np.exp(-excess))
        inside = 1 + self.shape * excess
        return float(self.mass * inside ** (-1 / self.shape)) if inside > 0 else 0.0

    def threshold(self, fmr: float) -> float:
        """Threshold for a false match rate of at most `mass`."""
        ratio = min(1.0, fmr / self.mass)
        if abs(self.shape) < 1e-9:
            return float(self.start - self.scale * np.log(ratio))
        return float(self.start + self.scale / self.shape * (ratio**-self.shape - 1))

    def extrapolates(self, fmr: float) -> bool:
        """Whether fewer than ten observed impostors stand behind this rate."""
        return fmr * self.impostors < 10


def fit_tail(comparisons: Comparisons) -> ImpostorTail:
    """Fit the tail of the impostor scores.

    The shape is not allowed to be negative: a law with an end point would promise a threshold no impostor
    can ever reach, which no sample can show.

    Raises:
        InputUnusable: too few impostor comparisons for a fit.
    """
    if len(comparisons.tail) < MINIMUM:
        raise InputUnusable(
            f"{len(comparisons.tail)} impostor comparisons are too few to fit a tail; it takes {MINIMUM}: "
            "add photos of more people"
        )
    count = min(EXCESSES, len(comparisons.tail) // 2)
    start = float(comparisons.tail[count])
    excess = np.sort(comparisons.tail[:count].astype(np.float64) - start)
    shape, scale = fit_excesses(excess, np.ones(count))
    return ImpostorTail(
        start, shape, scale, count / comparisons.impostors, float(comparisons.tail[0]), comparisons.impostors
    )


def fit_excesses(excess: Doubles, weight: Doubles) -> tuple[float, float]:
    """Shape and scale of the highest likelihood for ascending excesses, the shape at least 0.

    The highest scores of real photo collections are label errors: one person filed under two names. The top
    `LABEL_ERRORS` share is therefore only counted as "above the cut"; it cannot stretch the law, and it does
    not vanish either.
    """
    below = np.searchsorted(np.cumsum(weight), (1 - LABEL_ERRORS) * weight.sum())
    cut = float(excess[min(below, len(excess) - 1)])
    inside, counts = excess[excess <= cut], weight[excess <= cut]
    above = float(weight.sum() - counts.sum())
    scales = np.geomspace(0.2, 3.0, 120) * float(np.average(excess, weights=weight))
    best = max(
        (_likelihood(inside, counts, (above, cut), (shape, scale)), -shape, scale)
        for shape in np.linspace(0.0, 0.5, 26)
        for scale in scales
    )
    return float(-best[1]), float(best[2])


def _likelihood(
    inside: Doubles, counts: Doubles, censored: tuple[float, float], law: tuple[float, float]
) -> float:
    (above, cut), (shape, scale) = censored, law
    if shape < 1e-9:
        return float(-counts.sum() * np.log(scale) - (counts @ inside + above * cut) / scale)
    density = -counts.sum() * np.log(scale) - (1 + 1 / shape) * (counts @ np.log1p(shape * inside / scale))
    return float(density - above / shape * np.log1p(shape * cut / scale))
