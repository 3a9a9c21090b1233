"""Whether mouth and chin are of the same skin as the forehead: what a mask, a scarf or a hand changes.

A cover is told by two colours together, both in CIELAB, which keeps lightness apart: no lips that are redder
than what is around them, and a lower face of another tint than the forehead. Either alone is ordinary
(pale lips; a beard, rouge, coloured light). Landmark networks put a mouth on any mask, so only
colours are looked at where they say the mouth is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from liveness.types import Floats, Mesh, Pixels

# The middle of the lips lies between their outer and inner outline, in this order.
_OUTER = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185]
_INNER = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191]
_FOREHEAD = [151, 9, 108, 337, 69, 299]
_LOWER = [199, 200, 202, 422, 212, 432, 164]
_AROUND = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1]), axis=-1).reshape(1, 9, 2)


@dataclass(frozen=True, slots=True)
class LowerFace:
    """Differences in CIELAB units of an 8-bit picture."""

    lips: float
    """How much redder (a*) the lips are than the lower face; about 5 where nothing covers them."""
    tint: float
    """Distance in tint (a*, b*) from the forehead to the lower face; about 5 where it is one skin."""


def lower_face(pixels: Pixels, mesh: Mesh) -> LowerFace:
    """Compare the lower face of `uint8[H, W, 3]` BGR with lips and forehead."""
    points = mesh.points[:, :2]
    lips = _tint(pixels, np.asarray((points[_OUTER] + points[_INNER]) / 2, dtype=np.float32))
    forehead, lower = _tint(pixels, points[_FOREHEAD]), _tint(pixels, points[_LOWER])
    return LowerFace(float(lips[0] - lower[0]), float(np.hypot(*(lower - forehead))))


def _tint(pixels: Pixels, points: Floats) -> Floats:
    """Median a* and b* around the points, `float32[2]`; points outside count where the frame ends."""
    height, width = pixels.shape[:2]
    at = (points.round().astype(int)[:, None] + _AROUND).reshape(-1, 2)
    near = pixels[np.clip(at[:, 1], 0, height - 1), np.clip(at[:, 0], 0, width - 1)]
    lab = cv2.cvtColor(near[None].astype(np.float32) / 255.0, cv2.COLOR_BGR2LAB)[0]
    return np.asarray(np.median(lab[:, 1:], axis=0), dtype=np.float32)
