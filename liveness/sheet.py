"""Is what turned a head, or a sheet, however it is bent?

A sheet that is flat or bent about an upright axis moves in one way only: the shift of its points to the
side depends on where they lie across it, whatever the bend. On a head two points one above the other
shift differently when one of them is further out, above all the nose before brow and lip. So the
sideways shift is explained by a smooth function across the face (a cubic, with the slant that tilt and
distance add), and what is left is compared with the depth of a face. The share of that in the whole
movement is the relief: about 0.2 for heads, 0 for sheets. A sheet may be bent about a slanted axis, along
which its points shift alike; how badly a sheet fits is taken at the axis that fits best. Points followed in
the picture itself (`liveness.tracking`) are needed; landmarks of a network move like a head's on paper too.

Evidence: the limits of `liveness.turn` were read off the development half of the people, where 37 simulated
sheets had a relief of at most 0.01 and 10 solid heads at least 0.12 (`python -m benchmarks.liveness turns`).
Heads that turn by 15 degrees or more in recordings have a median of 0.13; what lies lower fits no sheet.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from liveness.tracking import LEAST_POINTS, SEEDS
from liveness.types import Floats, Relief

_ROUNDS = 5
_AXES = np.deg2rad([0.0, -22.5, 22.5, -45.0, 45.0])
"""How far the axis of a bend may lie off the upright one, the upright first."""
_CROWN, _CHIN = 10, 152

_Matrix = npt.NDArray[np.float64]


def relief_of(neutral: Floats, start: Floats, now: Floats, *, towards: float) -> Relief | None:
    """Compare where the points were and are; None for too few of them, or no movement at all.

    Args:
        neutral: `float32[478, 3]` landmarks at the start, for the depth a face has and its upright.
        start: `float32[N, 2]` where the points started.
        now: `float32[N, 2]` where they are, NaN where lost.
        towards: +1 where the head turned to its own left, else -1.
    """
    known = np.isfinite(now).all(axis=1) & np.isfinite(start).all(axis=1)
    if int(known.sum()) < LEAST_POINTS:
        return None
    upright = _upright(neutral)
    before = _normal(start[known].astype(np.float64) @ upright.T)
    after = _normal(now[known].astype(np.float64) @ upright.T)
    width = float(np.ptp(before[:, 0]))
    depth = neutral[SEEDS, 2].astype(np.float64)[known]
    size = float(np.ptp((start[known] @ upright.T.astype(np.float32))[:, 0]))
    if not (width > 0 and size > 0 and np.isfinite(depth).all()):
        return None
    shift = (_aligned(before, after) - before)[:, 0] / width
    movement = float(np.sqrt((shift**2).mean()))
    if movement < 1e-6:
        return None
    left_to_depth, misfits = _fits(before / width, (depth - depth.mean()) / size, shift)
    share = -towards * float(left_to_depth[0]) / movement
    return Relief(share, movement, float(misfits.min()), int(known.sum()))


def _fits(points: _Matrix, depth: _Matrix, shift: _Matrix) -> tuple[_Matrix, _Matrix]:
    """What a sheet bent about each axis leaves to depth, signed, and what to neither; both rms, `[A]`."""
    basis, _ = np.linalg.qr(_across(points))
    values = np.stack([depth, shift], axis=1)
    free = values - basis @ (basis.transpose(0, 2, 1) @ values)
    slopes, left = _robust_slopes(free[:, :, 0], free[:, :, 1])
    return slopes * np.sqrt((free[:, :, 0] ** 2).mean(axis=1)), np.sqrt((left**2).mean(axis=1))


def _across(points: _Matrix) -> _Matrix:
    """What a sheet may do to the side, `[A, N, 7]`: a cubic across its axis, and slants."""
    cos, sin = np.cos(_AXES)[:, None], np.sin(_AXES)[:, None]
    x, y = cos * points[:, 0] + sin * points[:, 1], cos * points[:, 1] - sin * points[:, 0]
    return np.stack([np.ones_like(x), x, x**2, x**3, y, x * y, y * y], axis=2)


def _robust_slopes(depth: _Matrix, rest: _Matrix) -> tuple[_Matrix, _Matrix]:
    """Slopes of the rest over depth, outliers weighed down (Cauchy), `[A]`; what they leave, `[A, N]`."""
    weighed = depth
    for _ in range(_ROUNDS):
        slopes = (weighed * rest).sum(axis=1) / np.maximum((weighed * depth).sum(axis=1), 1e-12)
        left = rest - slopes[:, None] * depth
        spread = 3.0 * np.median(np.abs(left), axis=1, keepdims=True) + 1e-9
        weighed = depth / (1.0 + (left / spread) ** 2)
    return slopes, left


def _upright(neutral: Floats) -> _Matrix:
    """Rotation `[2, 2]` that puts the line from crown to chin upright."""
    down = (neutral[_CHIN, :2] - neutral[_CROWN, :2]).astype(np.float64)
    x, y = down / max(float(np.hypot(*down)), 1e-9)
    return np.array([[y, -x], [x, y]])


def _normal(points: _Matrix) -> _Matrix:
    """Without place and size."""
    centred = points - points.mean(axis=0)
    return np.asarray(centred / max(float(np.sqrt((centred**2).sum())), 1e-9))


def _aligned(before: _Matrix, after: _Matrix) -> _Matrix:
    """The later points, turned in the picture to lie on the earlier ones as well as they can."""
    u, _, vt = np.linalg.svd(after.T @ before)
    turn = u @ np.diag([1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    return np.asarray(after @ turn)
