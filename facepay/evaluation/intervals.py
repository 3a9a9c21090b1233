"""Rates with the uncertainty that belongs to them.

Two kinds of interval: Wilson's for independent trials, and a bootstrap over *identities* for comparisons,
because the thousands of pairs that one person takes part in are not thousands of independent trials
(ISO/IEC 19795-1:2021, annex B). Resampling cannot show what the sample hardly holds: where fewer than `FEW`
people stand behind the errors, each person counts as one trial of Wilson's interval, which is wider and keeps
its promise (ADR 0290). Where no error was seen, the rule of three gives the upper bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import floor, log10, sqrt

import numpy as np
import numpy.typing as npt

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""

FEW = 20
"""People with an error, or without one, below which a bootstrap over people promises too much."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`errors` of `trials`, with a 95 % interval; `value`, `low` and `high` are 0..1, NaN without trials."""

    errors: int
    trials: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The observed share."""
        return self.errors / self.trials if self.trials else float("nan")

    def __str__(self) -> str:
        if not self.trials:
            return "no trials"
        if not self.errors:
            return f"0 of {self.trials:,} (below {percent(self.high)} at 95 %)"
        interval = f"{percent(self.low)} to {percent(self.high)}"
        return f"{percent(self.value)} ({self.errors:,} of {self.trials:,}; {interval})"


def percent(share: float) -> str:
    """Write a share 0..1 with as many digits as its size deserves."""
    value = 100 * share
    if value >= 1:
        return f"{value:.1f} %"
    # Two digits, and no exponent before it would count more than six noughts.
    digits = f"{value:.2g}" if not 1e-7 <= value < 1e-4 else f"{value:.{1 - floor(log10(value))}f}"
    return f"{digits} %"


def rule_of_three(trials: int) -> float:
    """Upper 95 % bound of a rate of which `trials` independent trials showed no error.

    The exact one-sided bound 1 - 0.05^(1/n); about 3/n. It is 1 without trials.
    """
    return float(1 - 0.05 ** (1 / trials)) if trials else 1.0


def one_in(share: float) -> str:
    """A small share 0..1 as people say it: 0.001 is "1 in 1,000"; what is no such share as a number."""
    whole = round(1 / share) if share > 0 else 0
    return f"1 in {whole:,}" if whole and abs(share * whole - 1) < 0.005 else f"{share:.2g}"


def score_text(score: float) -> str:
    """A score or threshold of any range, with as many digits as tell it from its neighbours."""
    size = abs(score)
    if size >= 1000:
        return f"{score:,.1f}"
    return f"{score:.3f}" if size >= 0.01 or not size else f"{score:.3g}"


def wilson(errors: int, trials: int) -> Rate:
    """Wilson score interval for independent trials; rule of three where no error was seen.

    Raises:
        ValueError: counts that cannot be, such as more errors than trials.
    """
    if not 0 <= errors <= trials:
        raise ValueError(f"{errors} errors of {trials} trials cannot be")
    if trials == 0:
        return Rate(0, 0, float("nan"), float("nan"))
    if errors == 0:
        return Rate(0, trials, 0.0, rule_of_three(trials))
    return Rate(errors, trials, *score_interval(errors / trials, trials))


def score_interval(share: float, trials: float) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share 0..1 seen in so many independent trials, at least one."""
    scale = 1 + Z_95**2 / trials
    centre = (share + Z_95**2 / (2 * trials)) / scale
    half = Z_95 * sqrt(share * (1 - share) / trials + Z_95**2 / (4 * trials**2)) / scale
    return max(0.0, centre - half), min(1.0, centre + half)


def clustered(wrong: npt.NDArray[np.bool_], identity: npt.NDArray[np.integer]) -> Rate:
    """Rate of `wrong` over trials that belong to people; interval over the people, not over the trials.

    Args:
        wrong: `bool[N]`, which trials were errors.
        identity: `int[N]`, whose trial each was.
    """
    errors, trials = int(wrong.sum()), len(wrong)
    people, index = np.unique(identity, return_inverse=True)
    if not trials or not errors:
        return Rate(0, trials, 0.0, rule_of_three(len(people)))
    per_person = np.bincount(index, weights=wrong, minlength=len(people))
    total = np.bincount(index, minlength=len(people)).astype(np.float64)
    if min((per_person > 0).sum(), (per_person < total).sum()) < FEW:
        return Rate(errors, trials, *score_interval(errors / trials, len(people)))
    low, high = bootstrap(lambda weight: float(weight @ per_person) / float(weight @ total), len(people))
    return Rate(errors, trials, low, high)


def bootstrap(
    statistic: Callable[[npt.NDArray[np.float64]], float],
    identities: int,
    *,
    rounds: int = 500,
    seed: int = 20261122,
) -> tuple[float, float]:
    """95 % percentile interval of a statistic, resampling identities with replacement.

    Args:
        statistic: maps weights (`float64[identities]`, how often each identity was drawn) to a rate.
        identities: how many there are.
        rounds: how many resamples.
        seed: of the draws, so that a figure can be repeated.
    """
    random = np.random.default_rng(seed)
    values = np.array([statistic(draw_weights(random, identities)) for _ in range(rounds)])
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def draw_weights(random: np.random.Generator, identities: int) -> npt.NDArray[np.float64]:
    """How often each of so many identities is drawn in one resample with replacement."""
    return np.bincount(random.integers(0, identities, identities), minlength=identities).astype(np.float64)
