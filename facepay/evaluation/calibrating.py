"""Makes a pack's calibration from comparisons: measured as far as the photos reach, fitted beyond."""

from __future__ import annotations

from facepay.evaluation.comparisons import Comparisons
from facepay.evaluation.tail import fit_tail
from facepay.evaluation.verification import threshold_for
from facepay.recognition.calibration import Calibration, Provenance, Tail
from facepay.types import ModelId

ERRORS_TO_SHOW = 30
"""Errors that must stand behind a rate to call it shown: it is then within 30 % of the truth with 90 %
confidence (rule of 30), counted over pairs of people, because comparisons of the same pair are not
independent."""

_RATES = (0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 5e-5, 2e-5)


def make_calibration(
    comparisons: Comparisons, recogniser: ModelId, detector_sha256: str, provenance: Provenance
) -> Calibration:
    """Turn impostor scores into false match rates.

    Args:
        comparisons: everything compared with everything.
        recogniser: digest of the recogniser.
        detector_sha256: digest of the detector.
        provenance: goes into the file unchanged.

    Raises:
        InputUnusable: too few people.
    """
    tail = fit_tail(comparisons)
    start = round(tail.start, 5)
    points = [(round(threshold_for(comparisons, rate), 5), rate) for rate in _RATES if rate > 1.2 * tail.mass]
    rising = [point for index, point in enumerate(points) if index == 0 or point[0] > points[index - 1][0]]
    rising = [*(point for point in rising if point[0] < start), (start, tail.mass)]
    return Calibration(
        recogniser,
        detector_sha256,
        tuple(score for score, _ in rising),
        tuple(rate for _, rate in rising),
        Tail(start, tail.mass, tail.shape, tail.scale),
        ERRORS_TO_SHOW / comparisons.impostor_pairs,
        provenance,
    )
