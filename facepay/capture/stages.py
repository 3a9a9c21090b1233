"""How long each stage of a payment took, for the transcript and the benchmarks."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class StageTimes:
    """Adds up milliseconds by stage. Not shared between threads."""

    def __init__(self, now_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        self._now_ns = now_ns
        self._spent_ns: dict[str, int] = defaultdict(int)
        self._runs: dict[str, int] = defaultdict(int)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of a block for a stage."""
        started_ns = self._now_ns()
        try:
            yield
        finally:
            self._spent_ns[name] += self._now_ns() - started_ns
            self._runs[name] += 1

    def spent_ms(self, name: str) -> float:
        """Milliseconds in a stage so far."""
        return self._spent_ns[name] / 1e6

    def runs(self, name: str) -> int:
        """How often a stage ran."""
        return self._runs[name]

    def as_table(self) -> dict[str, float]:
        """Milliseconds by stage, in the order the stages first ran."""
        return {name: round(spent / 1e6, 3) for name, spent in self._spent_ns.items()}
