"""Depth and infrared cue: is there a head of human size in front of the sensor, or a sheet?

The depth inside the face box is fitted with a plane. A face leaves 15 to 25 mm (root mean square),
paper and glass below 3 mm. The distance between the eyes in millimetres must be a person's, and
where the camera gives infrared, a face must be visible in it: a phone's display is dark at 850 nm.
A life-size mask or bust passes. Abstains where there is no depth camera or too little depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from liveness.types import CueName, CueResult, DepthView, Presentation, Reason, Status

_MIN_VIEWS = 3


@dataclass(frozen=True, slots=True)
class DepthLimits:
    """Millimetres, shares 0..1, infrared levels 0..255; start values from the design."""

    flat_mm: float = 5.0
    face_mm: float = 8.0
    max_face_mm: float = 60.0
    min_known: float = 0.5
    range_mm: tuple[float, float] = (200.0, 1500.0)
    eyes_mm: tuple[float, float] = (48.0, 78.0)
    min_nose_mm: float = 8.0
    min_infrared_contrast: float = 6.0


@dataclass(frozen=True, slots=True)
class _Measured:
    relief_mm: float
    eyes_mm: float
    nose_mm: float
    infrared: float | None


class DepthCue:
    """Median over the depth frames of one try."""

    def __init__(self, limits: DepthLimits | None = None) -> None:
        self._limits = limits or DepthLimits()

    def assess(self, presentation: Presentation) -> CueResult:
        """Ok for a head, refuse for a plane, a wrong size or a face that infrared does not see."""
        found = [one for view in presentation.depth if (one := self._measure(view)) is not None]
        if len(found) < _MIN_VIEWS:
            reason = Reason.NOT_ENOUGH_FRAMES if presentation.depth else Reason.NOT_MEASURED
            return CueResult(CueName.DEPTH, Status.ABSTAIN, reasons=(reason,))
        infrared = [one.infrared for one in found if one.infrared is not None]
        middle = _Measured(
            relief_mm=float(np.median([one.relief_mm for one in found])),
            eyes_mm=float(np.median([one.eyes_mm for one in found])),
            nose_mm=float(np.median([one.nose_mm for one in found])),
            infrared=float(np.median(infrared)) if infrared else None,
        )
        status, reasons = self._verdict(middle)
        return CueResult(
            CueName.DEPTH,
            status,
            score=float(np.clip(middle.relief_mm / 20.0, 0.0, 1.0)),
            reasons=reasons,
            details=(("relief_mm", middle.relief_mm), ("nose_mm", middle.nose_mm)),
        )

    def _verdict(self, middle: _Measured) -> tuple[Status, tuple[Reason, ...]]:
        limits = self._limits
        if middle.relief_mm < limits.flat_mm:
            return Status.REFUSE, (Reason.PLANE,)
        if not limits.eyes_mm[0] <= middle.eyes_mm <= limits.eyes_mm[1]:
            return Status.REFUSE, (Reason.NOT_FACE_SIZED,)
        if middle.infrared is not None and middle.infrared < limits.min_infrared_contrast:
            return Status.REFUSE, (Reason.NO_INFRARED_FACE,)
        face = limits.face_mm <= middle.relief_mm <= limits.max_face_mm
        if face and middle.nose_mm >= limits.min_nose_mm:
            return Status.OK, ()
        return Status.ABSTAIN, (Reason.UNCERTAIN,)

    def _measure(self, view: DepthView) -> _Measured | None:
        region = _region(view)
        if region is None:
            return None
        x, y, depth = region
        near, far = self._limits.range_mm
        known = (depth > near) & (depth < far)
        if float(known.mean()) < self._limits.min_known:
            return None
        # Hair and background at the edges are no face: keep what lies near the middle's distance.
        level = float(np.median(depth[known]))
        known &= np.abs(depth - level) < 120.0
        points = np.column_stack([x[known], y[known], np.ones(int(known.sum()))])
        plane, *_ = np.linalg.lstsq(points, depth[known], rcond=None)
        rest = depth[known] - points @ plane
        (ax, ay), (bx, by) = view.eyes
        return _Measured(
            relief_mm=float(np.sqrt(np.mean(rest**2))),
            eyes_mm=float(np.hypot(ax - bx, ay - by)) * level / view.focal_px,
            nose_mm=_nose(x[known], y[known], rest, view),
            infrared=_infrared_contrast(view),
        )


def _region(view: DepthView) -> tuple[npt.NDArray[np.float64], ...] | None:
    """Pixels of the inner face: x, y relative to the middle, and depth in mm."""
    x1, y1, x2, y2 = (round(value) for value in _inner(view))
    if view.depth_mm.ndim != 2 or x1 < 0 or y1 < 0:
        return None
    part = view.depth_mm[y1:y2, x1:x2].astype(np.float64)
    if min(part.shape, default=0) < 12 or not np.isfinite(part).all():
        return None
    rows, columns = np.mgrid[0 : part.shape[0], 0 : part.shape[1]]
    return columns - part.shape[1] / 2, rows - part.shape[0] / 2, part


def _inner(view: DepthView) -> tuple[float, float, float, float]:
    """The box without its outer tenth, where faces end."""
    x1, y1, x2, y2 = view.box
    trim_x, trim_y = 0.1 * (x2 - x1), 0.1 * (y2 - y1)
    return x1 + trim_x, y1 + trim_y, x2 - trim_x, y2 - trim_y


def _nose(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], rest: npt.NDArray[np.float64], view: DepthView
) -> float:
    """How far the middle of the face stands out of its sides, in mm."""
    width = view.box[2] - view.box[0]
    middle = (np.abs(x) < 0.1 * width) & (np.abs(y) < 0.15 * width)
    sides = np.abs(x) > 0.28 * width
    if middle.sum() < 4 or sides.sum() < 4:
        return 0.0
    return float(np.median(rest[sides]) - np.median(rest[middle]))


def _infrared_contrast(view: DepthView) -> float | None:
    if view.infrared is None or view.infrared.shape != view.depth_mm.shape:
        return None
    x1, y1, x2, y2 = (round(value) for value in _inner(view))
    part = view.infrared[max(y1, 0) : y2, max(x1, 0) : x2]
    return float(part.std()) if part.size else None
