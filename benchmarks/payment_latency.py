"""From the last needed frame to the decision: how long, and how much of it is not the models?

Whole payments through the terminal: a person of insightface's sample photo before the demonstration's stage,
SQLite, and a gallery filled up with random references. Counted is from the moment the camera has handed over
the last frame that was needed to the moment the shopper is asked to confirm: what is left to detect and to
embed, liveness's verdict, the search of the whole gallery, threshold, margin, account and policy. Beside each
payment every network that ran in this time runs again on the same inputs, alone; `overhead` is the whole over
the sum of those runs. `python -m benchmarks.payment_latency [PACK] [PAYMENTS] [SIZE ...]`; the pack
is `research`, of 512 dimensions, where FACEPAY_MODELS has it, and else the one of the settings.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.arguments import known_pack, whole_numbers
from benchmarks.model_runs import ModelRuns
from benchmarks.results import draw_bars, quantiles, resident_mb, tell
from facepay.counter import Counter, Phase, SaleView
from facepay.demo.people import default_photos, find_people
from facepay.demo.stage import Stage
from facepay.demo.theatre import Theatre
from facepay.policy import default_rules
from facepay.recognition.pack_store import choose_pack
from facepay.recognition.rounded_block import BLOCK
from facepay.settings import Settings, load_settings
from facepay.terminal import Terminal
from facepay.terminal.terms import policy_terms
from facepay.types import Reference, ReferenceId, SubjectId
from hardware.types import Frame

PIN = "2580"
STAGES = ("detect", "quality", "liveness", "extract", "search", "decide")
"""Of the whole payment but for `extract`, `search` and `decide`, which lie after the last frame."""
NEVER = 10**9


@dataclass(frozen=True, slots=True)
class Moments:
    """When the camera had handed over the last frame, when the decision stood, and processor time between."""

    last_frame_s: float
    decided_s: float
    processor_s: float


class Watched:
    """Notes when the stage hands over a frame, and when the counter asks the shopper to confirm."""

    def __init__(self, stage: Stage, counter: Counter) -> None:
        self._read, self._show = stage.read, counter.show
        self._frame_s = self._processor_s = 0.0
        self.moments: Moments | None = None
        stage.read = self.read  # type: ignore[method-assign]
        counter.show = self.show  # type: ignore[method-assign]

    def read(self, timeout_s: float) -> Frame:
        """The next frame."""
        frame = self._read(timeout_s)
        self._frame_s, self._processor_s = time.perf_counter(), time.process_time()
        return frame

    def show(self, view: SaleView) -> None:
        """What the shopper sees."""
        if view.phase is Phase.CONFIRM:
            spent_s = time.process_time() - self._processor_s
            self.moments = Moments(self._frame_s, time.perf_counter(), spent_s)
        self._show(view)


class Bench:
    """One terminal with one payer who can pay, and room for others."""

    def __init__(self, theatre: Theatre, runs: ModelRuns) -> None:
        self._theatre = theatre
        self._runs = runs
        self._watched = Watched(theatre.stage, theatre.terminal.counter)
        people = find_people(default_photos(), theatre.terminal.engine.detector)
        self._person = next(person for person in people if theatre.rehearse(person))
        # The demonstration's shopper types the same whatever is asked for.
        cast, _ = theatre.enrol(self._person, PIN, digits=PIN)
        theatre.shopper.manners.pin = cast.pin
        self.size = theatre.terminal.gallery.references()

    def fill(self, size: int) -> None:
        """Add random references up to `size` in all."""
        gallery, engine = self._theatre.terminal.gallery, self._theatre.terminal.engine
        # Takes over what enrolment changed; a later look would drop the references that are in no database.
        gallery.refresh()
        random = np.random.default_rng(size)
        for start in range(self.size, size, BLOCK):
            rows = random.standard_normal((min(BLOCK, size - start), engine.dimensions), np.float32)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            # A gallery takes references from its database only; these are in none.
            gallery._hold([_reference(start + n, row, engine.model) for n, row in enumerate(rows)])
        self.size = max(self.size, size)

    def require_full(self) -> None:
        """Stop where the gallery is not as large as the table is about to say."""
        held = self._theatre.terminal.gallery.references()
        if held != self.size:
            raise SystemExit(f"the gallery holds {held} references, not {self.size}: nothing was measured")

    def pay(self) -> dict[str, float]:
        """One payment; milliseconds."""
        self._watched.moments = None
        self._runs.clear()
        self._theatre.stage.show(self._person.photo)
        answer = self._theatre.pay(1)
        moments = self._watched.moments
        if moments is None:
            raise SystemExit(f"the payment was not decided: {answer.document}, {self._theatre.last_reason()}")
        bare_ms, count = self._runs.bare_ms(moments.last_frame_s, moments.decided_s)
        return {
            **{stage: ms for stage, ms in self._theatre.stages_ms().items() if stage in STAGES},
            "total": 1000 * (moments.decided_s - moments.last_frame_s),
            "cpu": 1000 * moments.processor_s,
            "bare": bare_ms,
            "runs": count,
        }


def _reference(number: int, row: np.ndarray, model: str) -> Reference:
    name = f"{number:032x}"
    return Reference(ReferenceId(name), SubjectId(name), row, model)  # type: ignore[arg-type]


def ask_digits(terminal: Terminal, beyond: int) -> None:
    """Ask for digits in galleries of more than `beyond` payers; with `NEVER` the face alone decides."""
    parts = terminal.checkout._parts
    policy = policy_terms(terminal.settings, terminal.tries.policy, terminal.engine)
    terms = replace(parts.terms, digits_gallery=beyond)
    terminal.checkout._parts = replace(
        parts, terms=terms, rules=default_rules(replace(policy, digits_gallery=beyond))
    )


def lenient(settings: Settings, pack: str, folder: Path) -> Settings:
    """The settings with this pack, and without limits that a hundred payments of one person would reach."""
    return replace(
        settings,
        data=folder,
        recognition=replace(settings.recognition, pack=pack),
        limits=replace(settings.limits, day_payments=NEVER),
        policy=replace(
            settings.policy,
            quick_repeat_s=0.0,
            payments_before_factor=NEVER,
            cumulative_limit_minor=NEVER,
        ),
    )


def default_pack() -> str:
    """The widest features that are at hand: of 512 dimensions, which a large gallery makes slowest."""
    named = "research" if os.environ.get("FACEPAY_MODELS") else load_settings().recognition.pack
    return choose_pack(named).name


def main(pack: str, payments: int, sizes: list[int]) -> None:
    """Measure payments at every gallery size, the smallest first."""
    runs = ModelRuns()
    with (
        tempfile.TemporaryDirectory() as folder,
        runs.listening(),
        Theatre(lenient(load_settings(), pack, Path(folder))) as theatre,
    ):
        asked_beyond = theatre.terminal.checkout._parts.terms.digits_gallery
        bench = Bench(theatre, runs)
        rows = []
        for size in sorted(sizes):
            bench.fill(size)
            for beyond in (NEVER, asked_beyond) if bench.size > asked_beyond else (NEVER,):
                ask_digits(theatre.terminal, beyond)
                rows.append(_row(bench, payments, "digits" if beyond == asked_beyond else "face"))
    notes = [
        f"pack {pack}, {payments} payments a size, ms; p50, p95, least: last needed frame to decision",
        "bare models: the networks that ran in that time, alone on the same inputs; overhead: median ratio",
        f"found by: the face alone, or, as shipped beyond {asked_beyond:,} payers, digits typed at once",
        "detect, quality, liveness: of all frames of a payment; extract, search, decide: after the last",
    ]
    tell("payment_latency", rows, notes)
    labels = [f"{row['references']:,} references, {row['found by']}" for row in rows]
    draw_bars("payment_latency", labels, [float(str(row["p50"])) for row in rows], "ms (median)")


def _row(bench: Bench, payments: int, found_by: str) -> dict[str, object]:
    bench.pay()
    found = [bench.pay() for _ in range(payments)]
    bench.require_full()
    ratios = [row["total"] / row["bare"] for row in found if row["bare"]]
    return {
        "references": bench.size,
        "found by": found_by,
        **{stage: round(float(np.median([row.get(stage, 0.0) for row in found])), 2) for stage in STAGES},
        **quantiles([row["total"] for row in found]),
        "cpu": round(float(np.median([row["cpu"] for row in found])), 2),
        "bare models": round(float(np.median([row["bare"] for row in found])), 2),
        "runs": round(float(np.median([row["runs"] for row in found]))),
        "overhead %": round(100 * (float(np.median(ratios)) - 1), 1),
        "MB": resident_mb(),
    }


if __name__ == "__main__":
    words = sys.argv[1:]
    named = words.pop(0) if words and not words[0].isdecimal() else default_pack()
    told = whole_numbers(words, "[PACK] [PAYMENTS [SIZE ...]]")
    main(
        known_pack(named),
        told[0] if told else 10,
        told[1:] or [1, 1_000, 10_000, 100_000, 1_000_000],
    )
