"""How long detector, gate and recogniser take on the photos of an evaluation, on the machine at hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from facepay.evaluation.datasets import Photo
from facepay.evaluation.embedding import load_photo
from facepay.recognition.engine import RecognitionEngine
from hardware.errors import FrameRefused

T = TypeVar("T")
PHOTOS = 40
"""How many photos are timed; they are timed apart, because features may have come from the cache."""


def measure_latency(
    photos: Sequence[Photo], engine: RecognitionEngine, most: int = PHOTOS
) -> dict[str, tuple[float, ...]]:
    """Milliseconds of each stage on up to `most` photos, after one that warms up."""
    spent: dict[str, list[float]] = {"detect": [], "judge": [], "embed": []}
    for turn, photo in enumerate(photos[: most + 1]):
        try:
            pixels = load_photo(photo.path)
        except FrameRefused:
            continue
        detect, detections = _timed(partial(engine.detector.detect, pixels))
        judge, assessment = _timed(partial(engine.judge, pixels, detections))
        if assessment.face is None:
            continue
        embed, _ = _timed(partial(engine.extract, [assessment.face]))
        if turn:
            for stage, milliseconds in zip(spent, (detect, judge, embed), strict=True):
                spent[stage].append(milliseconds)
    return {stage: tuple(values) for stage, values in spent.items() if values}


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    started = time.perf_counter_ns()
    done = work()
    return (time.perf_counter_ns() - started) / 1e6, done
