"""The transcript: acts and steps that a person enjoys reading, or JSON lines for a program."""

from __future__ import annotations

import json
import os
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TextIO

WIDTH = 96
BAR = 34
GREEN, RED, BOLD, DIM = "32", "31", "1", "2"


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


class Ink:
    """Colours for a person's screen, none for a file, a pipe or whoever sets NO_COLOR."""

    def __init__(self, out: TextIO) -> None:
        self._on = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        encoding = (getattr(out, "encoding", None) or "ascii").lower()
        self.fine = encoding.startswith("utf")

    def __call__(self, text: str, colour: str) -> str:
        """The text in a colour, or as it is."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self._on else text

    def mark(self, right: bool) -> str:
        """A tick or a cross, in words where the output has no such letters."""
        text = ("✓" if right else "✗") if self.fine else ("ok" if right else "BAD")
        return self(text, GREEN if right else RED)


class Transcript:
    """Writes steps as they end; `failed` counts those that did not end as expected."""

    def __init__(self, out: TextIO, *, as_json: bool = False) -> None:
        self._out = out
        self._json = as_json
        self._ink = Ink(out)
        self.steps: list[Step] = []

    @property
    def failed(self) -> int:
        """How many steps did not end as expected."""
        return sum(not step.as_expected for step in self.steps)

    def say(self, text: str = "", *, indent: int = 0) -> None:
        """A paragraph for the reader; nothing in JSON."""
        for line in textwrap.wrap(text, WIDTH - indent) or [""]:
            self._line(" " * indent + line)

    def act(self, title: str) -> None:
        """A heading over the steps that belong together."""
        rule = "─" if self._ink.fine else "-"
        self._line()
        self._line(self._ink(title, BOLD) + " " + self._ink(rule * (WIDTH - len(title) - 1), DIM))

    def bars(self, rows: Sequence[tuple[str, float]], unit: str) -> None:
        """Amounts beside each other, the greatest one filling the line."""
        block, sliver = ("█", "▏") if self._ink.fine else ("#", "")
        most = max((value for _, value in rows), default=0.0) or 1.0
        for name, value in rows:
            bar = block * round(BAR * value / most) or sliver
            self._line(f"    {name:<26} {value:>7.1f} {unit}  {self._ink(bar, GREEN)}")

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
        head = f"{step.number:>3}  {step.title} "
        tail = f" {step.outcome}  {step.ms:>6,.0f} ms  "
        dots = self._ink("." * max(3, WIDTH - len(head) - len(tail) - 1), DIM)
        self._line(f"{head}{dots}{tail}{self._ink.mark(step.as_expected)}")
        if step.note:
            for line in textwrap.wrap(step.note, WIDTH - 6):
                self._line(self._ink(f"     {line}", DIM))
        if not step.as_expected:
            self._line(self._ink(f"     expected: {step.expected}", RED))

    def _line(self, text: str = "") -> None:
        if not self._json:
            print(text.rstrip(), file=self._out, flush=True)
