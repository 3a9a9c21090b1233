"""What the console shows of the counters."""

from __future__ import annotations

import math

import pytest

from facepay.monitoring import TOGETHER, Monitor, Watched
from facepay.monitoring.rates import quantile
from pos_adapter.types import Outcome


def test_rates_are_summed_up_from_the_counters() -> None:
    monitor = Monitor()
    for result, count in {"acquired": 6, "failure_to_acquire": 3, "attack_suspected": 1}.items():
        for _ in range(count):
            monitor.count_capture(result)
    for outcome in (Outcome.APPROVED, Outcome.NO_MATCH, Outcome.NO_MATCH):
        monitor.count_payment(outcome)
    for _ in range(20):
        monitor.observe_stage("search", 0.003)
    for _ in range(TOGETHER):
        monitor.observe(Watched.MARGIN, 0.31)
    rates = monitor.rates()
    assert (rates.captures, rates.failures_to_acquire, rates.attacks_suspected) == (10, 3, 1)
    assert (rates.payments, rates.no_match) == (3, 2)
    (search,) = rates.stages
    assert (search.stage, search.runs) == ("search", 20)
    assert 2.5 <= search.p50_ms <= search.p95_ms <= 5
    assert rates.margins == (0, 0, 0, TOGETHER, 0, 0, 0, 0, 0, 0)


def test_nothing_yet_is_nothing() -> None:
    rates = Monitor().rates()
    assert (rates.captures, rates.payments, rates.stages, sum(rates.margins)) == (0, 0, (), 0)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.25, 0.5), (0.5, 1.0), (0.75, 1.5), (0.9, 1.8), (1.0, 2.0)]
)
def test_quantiles_are_linear_in_a_bucket_and_stop_at_the_last_finite_edge(
    share: float, expected: float
) -> None:
    assert quantile([(1.0, 50), (2.0, 100), (math.inf, 101)], share * 100 / 101) == pytest.approx(expected)
    assert quantile([(1.0, 50), (2.0, 90), (math.inf, 100)], 0.95) == 2.0
