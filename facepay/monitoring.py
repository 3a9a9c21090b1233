"""What the terminal can say about itself without ground truth and without naming anybody.

Rates, margins as histograms and latencies as Prometheus text, and a drift alarm: the population stability
index between a baseline and the latest captures. Without a given baseline the first `WINDOW` captures of
this run are the baseline, so that a lens that gets dirty or a lamp that is moved is noticed. Labels are
enums of the house only, so that no identity, account or till reference can reach a metric. A margin is a
difference of scores, and no score leaves the process: margins are published `TOGETHER` at a time, rounded to
their bucket, so that whoever reads the metrics before and after a payment learns nothing about it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from enum import Enum

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

STAGES = ("open", "detect", "quality", "liveness", "embed", "extract", "search", "decide", "authorise")
LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
SHARE_BUCKETS = tuple(i / 10 for i in range(1, 11))

TOGETHER = 50
"""How many margins are published at once."""

WINDOW = 500
"""How many recent observations the drift alarm looks at."""

BINS = 10
DRIFT_ALARM = 0.25
"""Population stability index from which a distribution is said to have shifted; 0.1 is a change to watch."""


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


class Monitor:
    """Counts and times payments; safe to call from any thread."""

    def __init__(self, baselines: dict[Watched, Sequence[float]] | None = None) -> None:
        self.registry = CollectorRegistry()
        self._payments = Counter(
            "facepay_payments", "Payments by outcome.", ["outcome"], registry=self.registry
        )
        self._captures = Counter(
            "facepay_captures",
            "Capture tries by result: acquired, failure_to_acquire, attack_suspected.",
            ["result"],
            registry=self.registry,
        )
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
        self._baselines = dict(baselines or {})
        self._recent: dict[Watched, deque[float]] = {watched: deque(maxlen=WINDOW) for watched in Watched}
        self._withheld: list[float] = []
        self._lock = threading.Lock()

    def count_payment(self, outcome: Enum) -> None:
        """Count one finished payment by its outcome's name."""
        self._payments.labels(outcome.name.lower()).inc()

    def count_capture(self, result: str) -> None:
        """Count one capture try: `acquired`, `failure_to_acquire` or `attack_suspected`."""
        if result not in ("acquired", "failure_to_acquire", "attack_suspected"):
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
            self._withheld.append(_middle(margin))
            if len(self._withheld) < TOGETHER:
                return
            together, self._withheld = self._withheld, []
        for middle in together:
            self._publish(Watched.MARGIN, middle)

    def _publish(self, watched: Watched, value: float) -> None:
        self._shares[watched].observe(value)
        with self._lock:
            recent = self._recent[watched]
            recent.append(value)
            if len(recent) == WINDOW and watched not in self._baselines:
                self._baselines[watched] = np.histogram(recent, BINS, (0, 1))[0].tolist()
                recent.clear()

    def drift(self, watched: Watched) -> float | None:
        """Population stability index now; None until baseline and window are full."""
        with self._lock:
            baseline = self._baselines.get(watched)
            recent = list(self._recent[watched])
        if baseline is None or len(recent) < WINDOW:
            return None
        return population_stability_index(baseline, np.histogram(recent, len(baseline), (0, 1))[0].tolist())

    def alarms(self) -> tuple[str, ...]:
        """Plain sentences for the operator about distributions that have shifted."""
        shifted = [watched for watched in Watched if (self.drift(watched) or 0) > DRIFT_ALARM]
        return tuple(
            f"The {watched.value} of captures has shifted: clean the lens, look at the light, then measure "
            "again with facepay calibrate."
            for watched in shifted
        )

    def exposition(self) -> bytes:
        """All metrics in Prometheus text format."""
        for watched in Watched:
            index = self.drift(watched)
            if index is not None:
                self._drift.labels(watched.value).set(index)
        return generate_latest(self.registry)


def _middle(value: float) -> float:
    """The middle of the bucket that a share falls into."""
    return min(int(value * BINS), BINS - 1) / BINS + 0.5 / BINS
