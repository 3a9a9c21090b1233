"""Metrics name nobody, and drift is told from noise."""

from __future__ import annotations

from enum import Enum

import numpy as np
import pytest

from facepay.monitoring import DRIFT_ALARM, TOGETHER, WINDOW, Monitor, Watched, population_stability_index


class Outcome(Enum):
    APPROVED = "approved"


def test_metrics_are_prometheus_text_with_labels_of_the_house_only() -> None:
    monitor = Monitor()
    monitor.count_payment(Outcome.APPROVED)
    monitor.count_capture("failure_to_acquire")
    monitor.observe_stage("search", 0.0004)
    monitor.observe(Watched.MARGIN, 0.3)
    text = monitor.exposition().decode()
    assert 'facepay_payments_total{outcome="approved"} 1.0' in text
    assert 'facepay_captures_total{result="failure_to_acquire"} 1.0' in text
    assert 'facepay_stage_seconds_bucket{le="0.001",stage="search"} 1.0' in text
    assert "facepay_margin_bucket" in text


def test_captures_are_counted_from_nought_on() -> None:
    text = Monitor().exposition().decode()
    assert 'facepay_captures_total{result="attack_suspected"} 0.0' in text


@pytest.mark.parametrize("label", ["alice", "Acquired", ""])
def test_an_unknown_label_is_refused(label: str) -> None:
    monitor = Monitor()
    with pytest.raises(ValueError, match="not"):
        monitor.count_capture(label)
    with pytest.raises(ValueError, match="not one of"):
        monitor.observe_stage(label, 1.0)


def test_equal_histograms_do_not_drift_and_shifted_ones_do() -> None:
    assert population_stability_index([10, 20, 30], [100, 200, 300]) < 0.01
    assert population_stability_index([90, 10, 0], [10, 10, 80]) > DRIFT_ALARM


def test_histograms_of_different_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        population_stability_index([1, 2], [1, 2, 3])


def test_the_alarm_waits_for_a_full_window_and_says_what_to_do() -> None:
    random = np.random.default_rng(1)
    monitor = Monitor()
    for value in [*random.beta(8, 2, WINDOW), *random.beta(2, 8, WINDOW - 1)]:
        monitor.observe(Watched.QUALITY, float(value))
    assert monitor.alarms() == ()
    monitor.observe(Watched.QUALITY, 0.2)
    assert "clean the lens" in monitor.alarms()[0]
    assert 'facepay_drift_psi{distribution="quality"}' in monitor.exposition().decode()


def test_without_a_baseline_the_first_captures_are_it() -> None:
    random = np.random.default_rng(3)
    monitor = Monitor()
    for value in random.beta(8, 2, 2 * WINDOW):
        monitor.observe(Watched.QUALITY, float(value))
    assert monitor.alarms() == ()
    for value in random.beta(2, 8, WINDOW):
        monitor.observe(Watched.QUALITY, float(value))
    assert len(monitor.alarms()) == 1


def test_a_steady_camera_raises_no_alarm() -> None:
    random = np.random.default_rng(2)
    monitor = Monitor()
    for value in random.beta(8, 2, 4 * WINDOW):
        monitor.observe(Watched.QUALITY, float(value))
    assert monitor.alarms() == ()


def test_metrics_tell_no_single_margin() -> None:
    monitor = Monitor()
    before = monitor.exposition()
    for _ in range(TOGETHER - 1):
        monitor.observe(Watched.MARGIN, 0.3141592)
        assert monitor.exposition() == before
    monitor.observe(Watched.MARGIN, 0.3141592)
    text = monitor.exposition().decode()
    assert f'facepay_margin_bucket{{le="0.4"}} {TOGETHER}.0' in text
    total = next(line for line in text.splitlines() if line.startswith("facepay_margin_sum"))
    assert float(total.split()[1]) == pytest.approx(TOGETHER * 0.35)
