"""How much depth a movement of the head reveals, from landmarks before and after.

A flat picture moves by a homography, whatever its tilt. What a homography cannot explain is compared
with the depth the landmark network reports: the gain is the slope of that residual over depth, about
the sine of the turn for a real head and near zero for a plane. The slope's size counts, never its
fit: landmark networks carry a face's average depth in themselves, and put it even on flat photos.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from liveness.types import Floats

# Landmarks that speech and smiling leave in place: brow and forehead, bridge and tip of the nose, eye
# corners, cheekbones and temples.
# fmt: off
RIGID = np.array([
    10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 33, 133, 362, 263, 127, 356, 234, 454, 116, 345, 117, 346,
    118, 347, 50, 280, 101, 330, 36, 266, 103, 332, 67, 297, 109, 338, 54, 284, 21, 251, 68, 298, 104, 333,
    69, 299, 108, 337, 98, 327, 2,
])
# fmt: on

_Matrix = npt.NDArray[np.float64]


def depth_gain(before: Floats, after: Floats) -> float | None:
    """Residual motion per unit of depth, 0 for a plane; None where the points are degenerate.

    Args:
        before: `float32[478, 3]` landmarks, the mean of a few frames.
        after: the same after the turn.
    """
    a, b = before[RIGID].astype(np.float64), after[RIGID].astype(np.float64)
    size = float(np.ptp(a[:, 0]))
    if size < 8 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    centre = a[:, :2].mean(axis=0)
    flat_a, flat_b = (a[:, :2] - centre) / size, (b[:, :2] - centre) / size
    depth = (a[:, 2] - a[:, 2].mean()) / size
    homography, _ = cv2.findHomography(flat_a, flat_b, 0)
    if homography is None:
        return None
    warped = cv2.perspectiveTransform(flat_a[None], homography)[0]
    residual = (flat_b - warped).reshape(-1)
    slope = _slope(residual, depth, _directions(flat_a, warped))
    return float(np.hypot(*slope))


def width_share(before: Floats, after: Floats, yaw_degrees: float) -> float | None:
    """Width of the eyes over the length of the nose after a turn, as a share of what the turn explains.

    About 1 for a head. A print must be tilted further than the turn it pretends, and narrows more: bent
    prints have a median of 0.90. None where the points are degenerate.

    Args:
        before: `float32[478, 3]` before the turn.
        after: the same after it.
        yaw_degrees: the turn between them as the landmarks report it.
    """
    was, now = _width(before), _width(after)
    if not was > 1e-3 or not np.isfinite(now):
        return None
    return now / was / max(float(np.cos(np.deg2rad(yaw_degrees))), 0.1)


def _width(points: Floats) -> float:
    """Eyes' width over two stretches of the midline that neither jaw nor lips move."""
    xy = points[:, :2]
    across = sum(float(np.hypot(*(xy[a] - xy[b]))) for a, b in ((33, 263), (133, 362)))
    along = sum(float(np.hypot(*(xy[a] - xy[b]))) for a, b in ((9, 2), (151, 164)))
    return across / max(along, 1e-3)


def _directions(a: _Matrix, b: _Matrix) -> _Matrix:
    """The eight directions in which a change of the homography moves the points, `[2N, 8]`."""
    x, y = a.T
    u, v = b.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    along_x = np.stack([x, y, one, zero, zero, zero, -x * u, -y * u], axis=1)
    along_y = np.stack([zero, zero, zero, x, y, one, -x * v, -y * v], axis=1)
    return np.stack([along_x, along_y], axis=1).reshape(-1, 8)


def _slope(residual: _Matrix, depth: _Matrix, directions: _Matrix) -> _Matrix:
    """Least-squares slope of the residual over depth in x and y, with the homography projected out."""
    basis, _ = np.linalg.qr(directions)
    wanted = np.zeros((len(residual), 2))
    wanted[0::2, 0], wanted[1::2, 1] = depth, depth
    free = wanted - basis @ (basis.T @ wanted)
    rest = residual - basis @ (basis.T @ residual)
    slope, *_ = np.linalg.lstsq(free, rest, rcond=None)
    return np.asarray(slope)
