"""A threshold for a pack that nobody measured yet: borrowed, to try the pack out and never to take money.

Every calibration that ships was made by `facepay calibrate` with the pack it is named after. A pack without
one is tried out on the strictest curve measured on the whole data set, that of `commerce`, whatever its own
network may be: it rejects more than needed rather than less. `RecognitionEngine.require_calibration`
refuses it in production.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from facepay.recognition.calibration import Calibration
from facepay.recognition.calibration_files import find_calibration
from facepay.recognition.packs import catalogue
from facepay.types import ModelId

LENDER = "commerce"


def borrow_calibration(recogniser: ModelId, detector_sha256: str) -> Calibration:
    """Return the lender's curve for another pair of models, marked as borrowed.

    It is called extrapolated everywhere and knows no misses, for nothing was measured with these models.
    """
    lent = _lent()
    note = f"borrowed from {LENDER} and not measured with this pack"
    return replace(
        lent,
        recogniser=recogniser,
        detector_sha256=detector_sha256,
        smallest_shown=1.0,
        provenance=replace(lent.provenance, note=note),
        borrowed=True,
        record=(),
        misses=None,
    )


@cache
def _lent() -> Calibration:
    lent = find_calibration(catalogue()[LENDER], None)
    if lent is None:  # a broken installation; every installation ships it
        raise AssertionError(f"the pack {LENDER} ships no calibration")
    return lent
