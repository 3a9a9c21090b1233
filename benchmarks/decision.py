"""From the last needed frame to the approval: how the time of a payment is shared.

Plays payments by one person of insightface's sample photo before the demonstration's stage and prints, for
each stage, what it costs after the last frame. Run: `FACEPAY_MODELS=... python -m benchmarks.decision`.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.arguments import whole_numbers
from benchmarks.results import Row, peak_mb, quantiles, tell
from facepay.demo.people import default_photos, find_people
from facepay.demo.theatre import Theatre
from facepay.settings import load_settings

AFTER = ("extract", "search", "decide", "authorise")
MODELS = frozenset({"extract"})
PIN = "2580"


def main(payments: int = 20) -> None:
    """Pay once to warm up and `payments` times more, and tell."""
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
            for _ in range(payments + 1):
                theatre.stage.show(person.photo)
                theatre.pay(100)
                rows.append(theatre.stages_ms())
    _tell(rows[1:], start_s)


def _tell(rows: list[dict[str, float]], start_s: float) -> None:
    totals = [sum(row.get(stage, 0.0) for stage in AFTER) for row in rows]
    beside = [sum(row.get(stage, 0.0) for stage in AFTER if stage not in MODELS) for row in rows]
    table: list[Row] = [
        {"what": "from the last frame to the approval, ms", **quantiles(totals), "aim p95": 60},
        {"what": "of that, no model run, ms", **quantiles(beside), "aim p95": 10},
        *({"what": f"{stage}, ms", **quantiles([row.get(stage, 0.0) for row in rows])} for stage in AFTER),
        {"what": "peak memory, MB (with the benchmark's own)", "p50": peak_mb()},
        {"what": "terminal built in, s", "p50": round(start_s, 2)},
    ]
    tell("decision", table, [f"{len(rows)} payments"])


if __name__ == "__main__":
    main(*whole_numbers(sys.argv[1:], "[PAYMENTS]", most=1))
