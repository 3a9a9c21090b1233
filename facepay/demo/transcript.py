"""The transcript: one line a step, readable by a person, or JSON for a program."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TextIO

WIDTH = 100


@dataclass(slots=True)
class Step:
    """One step: what was done, what was expected, what came out, and how long it took."""

    number: int
    title: str
    expected: str
    outcome: str = ""
    note: str = ""
    ms: float = 0.0
    stages_ms: dict[str, float] = field(default_factory=dict)

    @property
    def as_expected(self) -> bool:
        """Whether the outcome is the expected one."""
        return self.outcome == self.expected


class Transcript:
    """Writes steps as they end; `failed` counts those that did not end as expected."""

    def __init__(self, out: TextIO, *, as_json: bool = False) -> None:
        self._out = out
        self._json = as_json
        self.steps: list[Step] = []

    @property
    def failed(self) -> int:
        """How many steps did not end as expected."""
        return sum(not step.as_expected for step in self.steps)

    def say(self, text: str = "") -> None:
        """A paragraph for the reader; nothing in JSON."""
        if not self._json:
            print(textwrap.fill(text, WIDTH, subsequent_indent="  "), file=self._out, flush=True)

    @contextmanager
    def step(self, title: str, expected: str) -> Iterator[Step]:
        """One step; whatever its block raises is its outcome, and the play goes on."""
        step = Step(len(self.steps) + 1, title, expected)
        started_s = time.perf_counter()
        try:
            yield step
        except Exception as error:
            step.outcome = type(error).__name__
            step.note = step.note or str(error)
        step.ms = (time.perf_counter() - started_s) * 1e3
        self.steps.append(step)
        self._write(step)

    def _write(self, step: Step) -> None:
        if self._json:
            line = json.dumps(asdict(step) | {"as_expected": step.as_expected}, sort_keys=True)
            print(line, file=self._out, flush=True)
            return
        mark = "ok " if step.as_expected else "BAD"
        head = f"{step.number:>2}. {step.title} "
        tail = f" {step.outcome}  {step.ms:>7.0f} ms  {mark}"
        print(head + "." * max(3, WIDTH - len(head) - len(tail)) + tail, file=self._out, flush=True)
        if step.note:
            print(textwrap.indent(textwrap.fill(step.note, WIDTH - 4), "    "), file=self._out, flush=True)
        if not step.as_expected:
            print(f"    expected: {step.expected}", file=self._out, flush=True)
