"""How certain a threshold is: the impostor tail measured and fitted again over resampled people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facepay.evaluation.comparisons import Comparisons
from facepay.evaluation.intervals import draw_weights
from facepay.evaluation.tail import Doubles, ImpostorTail, fit_excesses

ROUNDS = 100


def threshold_intervals(
    comparisons: Comparisons,
    tail: ImpostorTail,
    rates: Sequence[float],
    *,
    rounds: int = ROUNDS,
    seed: int = 20261122,
) -> list[tuple[float, float]]:
    """95 % percentile interval of the threshold for each false match rate, by bootstrap over people.

    Args:
        comparisons: everything compared with everything.
        tail: the fit to all of it; rates below its mass are read off a new fit in each round.
        rates: false match rates of one comparison.
        rounds: how many resamples.
        seed: of the draws, so that a figure can be repeated.
    """
    random = np.random.default_rng(seed)
    drawn = [
        _thresholds(comparisons, tail.mass, rates, draw_weights(random, comparisons.identities))
        for _ in range(rounds)
    ]
    low, high = np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    return [(float(below), float(above)) for below, above in zip(low, high, strict=True)]


def _thresholds(
    comparisons: Comparisons, mass: float, rates: Sequence[float], weight: Doubles
) -> list[float]:
    counts = weight[comparisons.tail_a] * weight[comparisons.tail_b]
    scores, counts = comparisons.tail[counts > 0].astype(np.float64), counts[counts > 0]
    above = np.cumsum(counts)
    total = comparisons.weighted_impostors(weight)

    def place(rate: float) -> int:
        return min(int(np.searchsorted(above, rate * total)), len(scores) - 1)

    first = place(mass)
    start = float(scores[first])
    excess, repeated = scores[:first][::-1] - start, counts[:first][::-1]
    shape, scale = fit_excesses(excess, repeated)
    law = ImpostorTail(start, shape, scale, mass, float(scores[0]), comparisons.impostors)
    return [law.threshold(rate) if rate <= mass else float(scores[place(rate)]) for rate in rates]
