"""The monitor's counters summed up for the console: rates, and how long the stages take."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric


@dataclass(frozen=True, slots=True)
class StageTime:
    """Median and 95th percentile of one stage in milliseconds, interpolated within its buckets."""

    stage: str
    runs: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Rates:
    """What happened since the terminal was started; `margins` counts by tenths, as far as published."""

    captures: int
    failures_to_acquire: int
    attacks_suspected: int
    payments: int
    no_match: int
    stages: tuple[StageTime, ...]
    margins: tuple[int, ...]


def sum_up(families: Iterable[Metric], stages: Sequence[str]) -> Rates:
    """Read the rates off the collected metrics; `stages` gives their order."""
    counted, buckets = _read(families)
    captures = {key: value for (name, key), value in counted.items() if name == "facepay_captures_total"}
    payments = {key: value for (name, key), value in counted.items() if name == "facepay_payments_total"}
    margins = [total for _, total in buckets.get(("facepay_margin", ""), [])][:-1]
    return Rates(
        captures=int(sum(captures.values())),
        failures_to_acquire=int(captures.get("failure_to_acquire", 0)),
        attacks_suspected=int(captures.get("attack_suspected", 0)),
        payments=int(sum(payments.values())),
        no_match=int(payments.get("no_match", 0)),
        stages=tuple(
            StageTime(stage, int(edges[-1][1]), 1000 * quantile(edges, 0.5), 1000 * quantile(edges, 0.95))
            for stage in stages
            if (edges := buckets.get(("facepay_stage_seconds", stage), []))
        ),
        margins=tuple(int(now - before) for before, now in zip([0.0, *margins], margins, strict=False)),
    )


def quantile(edges: Sequence[tuple[float, float]], share: float) -> float:
    """Estimate a quantile from cumulative buckets `(upper edge, count up to it)`; the last edge is infinite.

    Linear within a bucket, as Prometheus does it; beyond the last finite edge that edge is returned.
    """
    wanted = share * edges[-1][1]
    low_edge, low = 0.0, 0.0
    for edge, count in edges:
        if math.isinf(edge):
            break
        if count >= wanted and count > low:
            return low_edge + (edge - low_edge) * (wanted - low) / (count - low)
        low_edge, low = edge, count
    return low_edge


def _read(
    families: Iterable[Metric],
) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], list[tuple[float, float]]]]:
    counted: dict[tuple[str, str], float] = {}
    buckets: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for family in families:
        for sample in family.samples:
            labels = dict(sample.labels)
            edge = labels.pop("le", None)
            key = next(iter(labels.values()), "")
            if edge is not None:
                buckets.setdefault((family.name, key), []).append((float(edge), sample.value))
            elif sample.name.endswith("_total"):
                counted[sample.name, key] = sample.value
    return counted, buckets
