"""A turn by five points alone, for packs without landmarks: it may refuse, and it never accepts.

On a head the nose leaves the plane of eyes and mouth as it turns; a flat picture only narrows. A picture that
is bent like a face moves its nose as a head does: of simulated bent prints nearly all do (ADR 0242). So what
stays flat is refused, and everything else is "cannot tell"; without landmarks level 2 needs a depth camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liveness.types import CueName, CueResult, Floats, Reason, Status

_AVERAGED = 3


@dataclass(frozen=True, slots=True)
class ParallaxLimits:
    """How far the nose of a head moves, in inter-eye distances, and how much a face narrows, 0..1."""

    min_parallax: float = 0.12
    min_narrowing: float = 0.12


def judge_parallax(before: Sequence[Floats], after: Sequence[Floats], side: float) -> CueResult:
    """Refuse a turn that stays flat or goes to the other side; otherwise cannot tell.

    Args:
        before: `float32[5, 2]` of neutral frames.
        after: the same of at least three frames after the prompt.
        side: +1 where the shopper's own left was asked for, else -1.
    """
    limits = ParallaxLimits()
    start = np.asarray(np.mean(before, axis=0), dtype=np.float32)
    moved = [side * (nose_parallax(start, points) or 0.0) for points in after]
    windows = [float(np.median(moved[i : i + _AVERAGED])) for i in range(len(moved) - _AVERAGED + 1)]
    furthest = max(windows, key=abs)
    narrowing = 1.0 - min(_aspect(points) for points in after) / max(_aspect(start), 1e-6)
    details = (("parallax", furthest), ("narrowing", narrowing))
    if furthest <= -limits.min_parallax:
        return _result(Status.REFUSE, Reason.WRONG_SIDE, furthest, details)
    if narrowing >= limits.min_narrowing and furthest < limits.min_parallax / 2:
        return _result(Status.REFUSE, Reason.FLAT, furthest, details)
    turned = furthest >= limits.min_parallax
    return _result(Status.ABSTAIN, Reason.NOT_MEASURED if turned else Reason.NO_ANSWER, furthest, details)


def nose_parallax(before: Floats, after: Floats) -> float | None:
    """Five-point fallback: how far the nose leaves the plane of eyes and mouth, in inter-eye distances.

    Signed: positive when the nose moves towards image right. Flat pictures stay below 0.10 (95 %).

    Args:
        before: `float32[5, 2]`.
        after: the same after the turn.
    """
    a, b = before.astype(np.float64), after.astype(np.float64)
    corners = [0, 1, 3, 4]
    design = np.column_stack([a[corners], np.ones(4)])
    if np.linalg.matrix_rank(design) < 3 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    affine, *_ = np.linalg.lstsq(design, b[corners], rcond=None)
    expected = np.array([*a[2], 1.0]) @ affine
    return float((b[2] - expected)[0] / max(float(np.hypot(*(a[1] - a[0]))), 1.0))


def _aspect(points: Floats) -> float:
    """Inter-eye distance over the distance from eyes to mouth; a plane turned sideways loses it."""
    down = points[3:].mean(axis=0) - points[:2].mean(axis=0)
    return float(np.hypot(*(points[1] - points[0])) / max(float(np.hypot(*down)), 1e-6))


def _result(
    status: Status, reason: Reason, parallax: float, details: tuple[tuple[str, float], ...]
) -> CueResult:
    score = float(np.clip(abs(parallax) / 0.4, 0.0, 1.0))
    return CueResult(CueName.TURN, status, score=score, reasons=(reason,), details=details)
