"""Embeds kept faces while the capture still runs, so that after the last frame only one is left to embed.

The best face of a stretch is final as soon as the next stretch begins. Its features live in this object,
for one capture, and go with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facepay.capture import StageTimes
from facepay.recognition.base import FeatureRows
from facepay.recognition.engine import RecognitionEngine
from facepay.types import Features, Sample


class AheadOfTime:
    """Features of the samples of one capture, each made once."""

    def __init__(self, engine: RecognitionEngine, times: StageTimes) -> None:
        self._engine = engine
        self._times = times
        self._rows: dict[int, Features] = {}

    def take(self, sample: Sample) -> None:
        """Embed a sample that will not be replaced by a better one of its stretch any more."""
        with self._times.stage("embed"):
            self._keep([sample])

    def rows_of(self, samples: Sequence[Sample]) -> FeatureRows:
        """`float32[N, D]` unit rows of the samples, of which only the new ones are embedded now."""
        self._keep([sample for sample in samples if sample.captured_at_ns not in self._rows])
        return np.stack([self._rows[sample.captured_at_ns] for sample in samples])

    def _keep(self, samples: Sequence[Sample]) -> None:
        if samples:
            rows = self._engine.extract([sample.face for sample in samples])
            self._rows |= {sample.captured_at_ns: row for sample, row in zip(samples, rows, strict=True)}
