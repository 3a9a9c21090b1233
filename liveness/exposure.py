"""Exposure probe: does the picture follow when the driver changes the exposure?

For two or three frames the exposure is moved by a pattern that the nonce chose; brightness must
follow within one to three frames. A file or a virtual camera cannot. Drivers differ, so this is an
alarm for the operator and never a refusal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from liveness.types import Alarm

MIN_CORRELATION = 0.6
MAX_DELAY_FRAMES = 3


def find_exposure_alarm(pattern: Sequence[int], luma: Sequence[float]) -> Alarm | None:
    """Compare the pattern with what the frames show.

    Args:
        pattern: exposure steps -1, 0, +1, one per frame.
        luma: mean luma of the frames from the first changed one on, at least three more than steps.

    Returns:
        The alarm, or None where brightness followed or the pattern asks for nothing.
    """
    steps = np.asarray(pattern, dtype=np.float64)
    values = np.asarray(luma, dtype=np.float64)
    if len(steps) < 3 or steps.std() == 0 or len(values) < len(steps):
        return None
    best = -1.0
    for delay in range(min(MAX_DELAY_FRAMES, len(values) - len(steps)) + 1):
        part = values[delay : delay + len(steps)]
        if np.isfinite(part).all() and part.std() > 1e-6:
            best = max(best, float(np.corrcoef(steps, part)[0, 1]))
    return None if best >= MIN_CORRELATION else Alarm.EXPOSURE_DID_NOT_FOLLOW
