"""Makes a pack's calibration from comparisons: measured as far as the photos reach, fitted beyond."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from facepay.evaluation.comparisons import Comparisons
from facepay.evaluation.tail import fit_tail
from facepay.evaluation.threshold_intervals import threshold_intervals
from facepay.evaluation.verification import threshold_for
from facepay.recognition.calibration import Calibration, Misses, Provenance, Tail, ThresholdOnRecord
from facepay.types import ModelId

ERRORS_TO_SHOW = 30
"""Errors that must stand behind a rate to call it shown: it is then within 30 % of the truth with 90 %
confidence (rule of 30), counted over pairs of people, because comparisons of the same pair are not
independent."""

GALLERIES = (1, 10, 100, 1_000, 10_000, 100_000)
"""For how many references thresholds are put on record."""

_RATES = (0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 5e-5, 2e-5)
_MISSED = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99)


def make_calibration(
    comparisons: Comparisons,
    models: tuple[ModelId, str],
    provenance: Provenance,
    *,
    target_fpir: float,
) -> Calibration:
    """Turn impostor scores into false match rates.

    Args:
        comparisons: everything compared with everything.
        models: digests of recogniser and detector.
        provenance: goes into the file unchanged.
        target_fpir: for which thresholds are put on record, with their intervals.

    Raises:
        InputUnusable: too few people.
    """
    tail = fit_tail(comparisons)
    start = round(tail.start, 5)
    points = [(round(threshold_for(comparisons, rate), 5), rate) for rate in _RATES if rate > 1.2 * tail.mass]
    rising = [point for index, point in enumerate(points) if index == 0 or point[0] > points[index - 1][0]]
    rising = [*(point for point in rising if point[0] < start), (start, tail.mass)]
    fitted = Calibration(
        *models,
        tuple(score for score, _ in rising),
        tuple(rate for _, rate in rising),
        Tail(start, tail.mass, tail.shape, tail.scale),
        ERRORS_TO_SHOW / comparisons.impostor_pairs,
        provenance,
        misses=_misses(comparisons),
    )
    thresholds = [fitted.threshold_for(size, target_fpir) for size in GALLERIES]
    intervals = threshold_intervals(comparisons, tail, [threshold.fmr for threshold in thresholds])
    record = tuple(
        ThresholdOnRecord(
            made.gallery_size,
            target_fpir,
            made.fmr,
            made.score,
            # A fit to few people may promise a score that no cosine reaches.
            min(1.0, low),
            min(1.0, high),
            made.extrapolated,
        )
        for made, (low, high) in zip(thresholds, intervals, strict=True)
    )
    return replace(fitted, record=record)


def _misses(comparisons: Comparisons) -> Misses | None:
    """Where the shares of `_MISSED` of one person's comparisons lie; None where nobody was seen twice."""
    genuine = comparisons.genuine
    if not len(genuine):
        return None
    rates = [rate for rate in _MISSED if rate * len(genuine) >= 1]
    found = [(round(float(np.quantile(genuine, rate)), 5), rate) for rate in rates]
    rising = [point for index, point in enumerate(found) if index == 0 or point[0] > found[index - 1][0]]
    if len(rising) < 2:
        return None
    return Misses(tuple(score for score, _ in rising), tuple(rate for _, rate in rising))
