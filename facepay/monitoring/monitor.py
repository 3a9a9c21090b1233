"""Counts and times payments as Prometheus metrics, and watches distributions for drift.

Labels are enums of the house only, so that no identity, account or till reference can reach a metric. A
margin is a difference of scores, and no score leaves the process: margins are published `TOGETHER` at a
time, rounded to their bin, so that whoever reads the metrics before and after a payment learns nothing
about it.
"""

from __future__ import annotations

import threading
from enum import Enum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from facepay.monitoring.drift import DRIFT_ALARM, TOGETHER, WINDOW, Course, Watched, middle_of
from facepay.monitoring.drift_file import DriftFile
from facepay.monitoring.rates import Rates, sum_up

STAGES = ("open", "detect", "quality", "liveness", "embed", "extract", "search", "decide", "authorise")
CAPTURES = ("acquired", "failure_to_acquire", "attack_suspected")
LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
SHARE_BUCKETS = tuple(i / 10 for i in range(1, 11))


class Monitor:
    """Counts and times payments; safe to call from any thread.

    Args:
        kept: where the course of drift outlives the process; without it, it begins anew.
    """

    def __init__(self, kept: DriftFile | None = None) -> None:
        self.registry = CollectorRegistry()
        self._payments = Counter(
            "facepay_payments", "Payments by outcome.", ["outcome"], registry=self.registry
        )
        self._captures = Counter(
            "facepay_captures",
            f"Capture tries by result: {', '.join(CAPTURES)}.",
            ["result"],
            registry=self.registry,
        )
        for result in CAPTURES:
            # From nought on, so that a rate over time sees the first of each.
            self._captures.labels(result)
        self._latency = Histogram(
            "facepay_stage_seconds",
            "Time per stage.",
            ["stage"],
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self._shares = {
            watched: Histogram(
                f"facepay_{watched.value}",
                f"Distribution of {watched.value}, without identities.",
                buckets=SHARE_BUCKETS,
                registry=self.registry,
            )
            for watched in Watched
        }
        self._drift = Gauge(
            "facepay_drift_psi",
            f"Population stability index of the last {WINDOW} observations; above {DRIFT_ALARM} is a shift.",
            ["distribution"],
            registry=self.registry,
        )
        self._kept = kept
        self._courses = kept.read() if kept else {watched: Course() for watched in Watched}
        self._withheld: list[float] = []
        self._lock = threading.Lock()

    def count_payment(self, outcome: Enum) -> None:
        """Count one finished payment by its outcome's name."""
        self._payments.labels(outcome.name.lower()).inc()

    def count_capture(self, result: str) -> None:
        """Count one capture try by its result, one of `CAPTURES`."""
        if result not in CAPTURES:
            raise ValueError(f"{result!r} is not a result of a capture")
        self._captures.labels(result).inc()

    def observe_stage(self, stage: str, seconds: float) -> None:
        """Record how long a stage of `STAGES` took."""
        if stage not in STAGES:
            raise ValueError(f"{stage!r} is not one of {', '.join(STAGES)}")
        self._latency.labels(stage).observe(seconds)

    def observe(self, watched: Watched, value: float) -> None:
        """Record a value 0..1 of a watched distribution."""
        value = min(1.0, max(0.0, value))
        if watched is Watched.MARGIN:
            self._withhold(value)
        else:
            self._publish(watched, value)

    def _withhold(self, margin: float) -> None:
        with self._lock:
            self._withheld.append(middle_of(margin))
            if len(self._withheld) < TOGETHER:
                return
            together, self._withheld = self._withheld, []
        for middle in together:
            self._publish(Watched.MARGIN, middle)

    def _publish(self, watched: Watched, value: float) -> None:
        self._shares[watched].observe(value)
        with self._lock:
            if self._courses[watched].add(value):
                self._keep()

    def _keep(self) -> None:
        if self._kept is not None:
            self._kept.write(self._courses)

    def close(self) -> None:
        """Keep the course of drift for the next run; margins that are still withheld are forgotten."""
        with self._lock:
            self._keep()

    def drift(self, watched: Watched) -> float | None:
        """Population stability index now; None until baseline and window are full."""
        with self._lock:
            return self._courses[watched].drift()

    def rates(self) -> Rates:
        """What happened since the start, summed up."""
        return sum_up(self.registry.collect(), STAGES)

    def alarms(self) -> tuple[str, ...]:
        """Plain sentences for the operator about distributions that have shifted."""
        shifted = [watched for watched in Watched if (self.drift(watched) or 0) > DRIFT_ALARM]
        return tuple(
            f"The {watched.value} of captures has shifted: clean the lens, look at the light, then measure "
            "again with facepay calibrate, which begins the watch anew."
            for watched in shifted
        )

    def exposition(self) -> bytes:
        """All metrics in Prometheus text format."""
        for watched in Watched:
            index = self.drift(watched)
            if index is not None:
                self._drift.labels(watched.value).set(index)
        return generate_latest(self.registry)
