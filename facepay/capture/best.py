"""Keeps the best face of each stretch of a capture, so that few are embedded and none is from one moment."""

from __future__ import annotations

from facepay.types import Sample


class BestFaces:
    """The best sample of each window of time."""

    def __init__(self, window_s: float) -> None:
        self._window_ns = round(window_s * 1e9)
        self._best: dict[int, Sample] = {}
        self._window: int | None = None

    def offer(self, sample: Sample) -> Sample | None:
        """Keep a sample if it is the best of its window.

        Returns:
            The best of the window before, when this sample begins a new one: it is final now.
        """
        window, before = sample.captured_at_ns // self._window_ns, self._window
        best = self._best.get(window)
        if best is None or sample.quality.score > best.quality.score:
            self._best[window] = sample
        self._window = window
        return self._best[before] if before is not None and before != window else None

    def chosen(self, count: int) -> tuple[Sample, ...]:
        """At most `count` samples spread evenly over time, the first and the last among them."""
        samples = [self._best[window] for window in sorted(self._best)]
        if len(samples) <= count:
            return tuple(samples)
        if count == 1:
            return (max(samples, key=lambda sample: sample.quality.score),)
        step = (len(samples) - 1) / (count - 1)
        return tuple(samples[round(index * step)] for index in range(count))
