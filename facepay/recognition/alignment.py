"""Brings a face into the position that recognisers were trained on."""

from __future__ import annotations

import numpy as np

from facepay.errors import FailureToAcquire
from facepay.recognition.insightface import align_to_template
from facepay.types import Pixels, Points

_LEAST_EYE_DISTANCE = 4.0


def align(pixels: Pixels, points: Points) -> Pixels:
    """Warp a face by its five points.

    Args:
        pixels: `uint8[H, W, 3]` BGR.
        points: `float32[5, 2]` in pixels of that picture.

    Returns:
        `uint8[112, 112, 3]` BGR.

    Raises:
        FailureToAcquire: the points are not finite or all in one place.
    """
    if points.shape != (5, 2) or not np.isfinite(points).all():
        raise FailureToAcquire("the five points of the face are not usable")
    if float(np.linalg.norm(points[1] - points[0])) < _LEAST_EYE_DISTANCE:
        raise FailureToAcquire("the face is too small to be aligned")
    return align_to_template(pixels, np.asarray(points, dtype=np.float32))
