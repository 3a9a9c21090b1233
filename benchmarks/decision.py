"""From the last needed frame to the approval: how the time of a payment is shared.

Plays payments by one person of insightface's sample photo before the demonstration's stage and prints, for
each stage, what it costs after the last frame. Run: `FACEPAY_MODELS=... python -m benchmarks.decision`.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from facepay.demo.people import default_photos, find_people
from facepay.demo.theatre import Theatre
from facepay.settings import load_settings

AFTER = ("extract", "search", "decide", "authorise")
MODELS = frozenset({"extract"})
PIN = "2580"


def main(payments: int = 20) -> None:
    """Pay `payments` times and print the table and JSON."""
    settings = load_settings()
    policy = dataclasses.replace(settings.policy, quick_repeat_s=0.0, payments_before_factor=10**6)
    with tempfile.TemporaryDirectory() as folder:
        settings = dataclasses.replace(settings, policy=policy, data=Path(folder))
        began_s = time.perf_counter()
        with Theatre(settings) as theatre:
            start_s = time.perf_counter() - began_s
            people = find_people(default_photos(), theatre.terminal.engine.detector)
            person = next(person for person in people if theatre.rehearse(person))
            cast, _ = theatre.enrol(person, PIN)
            theatre.shopper.manners.pin = cast.pin
            rows = []
            for _ in range(payments):
                theatre.stage.show(person.photo)
                theatre.pay(100)
                rows.append(theatre.stages_ms())
    _print(rows[1:], start_s)


def _print(rows: list[dict[str, float]], start_s: float) -> None:
    totals = [sum(row.get(stage, 0.0) for stage in AFTER) for row in rows]
    beside = [sum(row.get(stage, 0.0) for stage in AFTER if stage not in MODELS) for row in rows]
    report: dict[str, object] = {"start_s": round(start_s, 2), "payments": len(rows)}
    for name, values in (("after_last_frame", totals), ("beside_models", beside)):
        report[name] = {"p50_ms": _at(values, 50), "p95_ms": _at(values, 95)}
    for stage in AFTER:
        values = [row.get(stage, 0.0) for row in rows]
        report[stage] = {"p50_ms": _at(values, 50), "p95_ms": _at(values, 95)}
    report["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    for name, value in report.items():
        print(f"{name:<18} {value}")
    print(json.dumps(report))


def _at(values: list[float], percent: int) -> float:
    return round(float(np.percentile(values, percent)), 2)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
