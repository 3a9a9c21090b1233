"""Every run of a network while a benchmark listens, kept with its inputs so that it can be repeated alone.

What a payment costs beside its models can be told only by running the same networks once more on the same
inputs, and with nothing around them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import onnxruntime

from facepay.recognition.yunet import YunetDetector

SEARCH_INPUT = "rows"
"""The search is an integer product on the same library, and no model."""


@dataclass(frozen=True, slots=True)
class ModelRun:
    """One run: when it began (`time.perf_counter`), and how to do it again."""

    began_s: float
    again: Any


class ModelRuns:
    """The runs of all networks that were loaded inside `listening`."""

    def __init__(self) -> None:
        self._runs: list[ModelRun] = []

    def clear(self) -> None:
        """Forget what ran."""
        self._runs.clear()

    def bare_ms(self, since_s: float, until_s: float) -> tuple[float, int]:
        """Run again what began between two moments: milliseconds in all, and how many runs."""
        chosen = [run for run in list(self._runs) if since_s <= run.began_s < until_s]
        kept = len(self._runs)
        began_s = time.perf_counter()
        for run in chosen:
            run.again()
        spent_ms = 1000 * (time.perf_counter() - began_s)
        del self._runs[kept:]
        return spent_ms, len(chosen)

    @contextmanager
    def listening(self) -> Iterator[ModelRuns]:
        """Record the runs of every network that is loaded from here on."""
        runs, session = self._runs, onnxruntime.InferenceSession

        class Heard(session):  # type: ignore[misc, valid-type]
            """A session that notes what it runs on."""

            def run(self, names: Any, inputs: Any, options: Any = None) -> Any:
                """As the library's own."""
                if SEARCH_INPUT not in inputs:
                    again = super().run
                    runs.append(ModelRun(time.perf_counter(), lambda: again(names, inputs, options)))
                return super().run(names, inputs, options)

        detect = YunetDetector.detect

        def heard(detector: YunetDetector, pixels: Any) -> Any:
            # OpenCV runs this network itself; there is no run of it without its decoding.
            runs.append(ModelRun(time.perf_counter(), lambda: detect(detector, pixels)))
            return detect(detector, pixels)

        onnxruntime.InferenceSession = Heard
        YunetDetector.detect = heard  # type: ignore[method-assign]
        try:
            yield self
        finally:
            onnxruntime.InferenceSession = session
            YunetDetector.detect = detect  # type: ignore[method-assign]
