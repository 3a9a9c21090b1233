"""Quality gate of one frame after the components of ISO/IEC 29794-5:2025 that liveness needs.

A frame that fails is not judged by any cue and gives one hint, the most blocking first. Failing the
gate is a non-response, never a suspicion. Limits are the design's start values; sharpness is to be
set from a camera's own 5 % quantile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from liveness.covering import Covered
from liveness.landmarks import EYE_BLINK_LEFT, EYE_BLINK_RIGHT, JAW_OPEN
from liveness.types import Box, FaceQuality, Floats, Hint, Mesh, Pixels, Pose

FACE_SIZE = 112
UNDER, OVER = 25, 247


@dataclass(frozen=True, slots=True)
class GateLimits:
    """Where a component starts to block. Each is stated for frames of any size."""

    min_inter_eye_px: float = 36.0
    """Below it neither landmarks nor passive networks are trusted; 70 and more is aimed at by the hint."""
    max_height_share: float = 0.85
    min_sharpness: float = 0.02
    max_under_share: float = 0.6
    max_over_share: float = 0.25
    min_dynamic_range: float = 30.0
    min_uniformity: float = 0.1
    max_yaw: float = 25.0
    max_pitch_off: float = 30.0
    max_roll: float = 30.0
    max_motion_iod_per_s: float = 3.0
    min_presence: float = 0.5
    max_covered: float = 0.2
    """Likelihood that mouth or eyes are hidden; set on bare faces of the development half."""


def _turned(pose: Pose, limits: GateLimits) -> bool:
    return (
        abs(pose.yaw) > limits.max_yaw
        or abs(pose.pitch) > limits.max_pitch_off
        or abs(pose.roll) > limits.max_roll
    )


def _moving(quality: FaceQuality, limits: GateLimits) -> bool:
    return quality.motion_iod_per_s is not None and quality.motion_iod_per_s > limits.max_motion_iod_per_s


def is_covered(quality: FaceQuality, limits: GateLimits) -> bool:
    """Whether something is before mouth or eyes; False where that could not be looked at."""
    known = [one for one in (quality.mouth_cover, quality.eyes_cover) if one is not None]
    return any(not one <= limits.max_covered for one in known)


Rule = tuple[Callable[[FaceQuality, GateLimits], bool], Hint]

# Most blocking first: what makes everything else unmeasurable stands on top.
_RULES: tuple[Rule, ...] = (
    (lambda q, m: q.presence is not None and q.presence < m.min_presence, Hint.UNCOVER),
    (lambda q, m: q.inter_eye_px < m.min_inter_eye_px, Hint.COME_CLOSER),
    (lambda q, m: q.height_share > m.max_height_share, Hint.STEP_BACK),
    (lambda q, m: not q.inside, Hint.CENTRE),
    (lambda q, m: q.under_share > m.max_under_share, Hint.MORE_LIGHT),
    (lambda q, m: q.over_share > m.max_over_share, Hint.LESS_LIGHT),
    (lambda q, m: q.dynamic_range < m.min_dynamic_range, Hint.MORE_LIGHT),
    (lambda q, m: q.uniformity < m.min_uniformity, Hint.MORE_LIGHT),
    (lambda q, m: q.pose is not None and _turned(q.pose, m), Hint.LOOK_HERE),
    (is_covered, Hint.UNCOVER),
    (_moving, Hint.HOLD_STILL),
    (lambda q, m: q.sharpness < m.min_sharpness, Hint.HOLD_STILL),
)


def gate(quality: FaceQuality, limits: GateLimits) -> Hint:
    """The most blocking hint, or NONE where the frame may be judged."""
    return next((hint for blocks, hint in _RULES if blocks(quality, limits)), Hint.NONE)


def measure_quality(
    pixels: Pixels,
    box: Box,
    points: Floats,
    *,
    mesh: Mesh | None,
    motion_iod_per_s: float | None,
    covered: Covered | None = None,
) -> FaceQuality:
    """All components of one face; `points` are `float32[5, 2]` in frame pixels."""
    height, width = pixels.shape[:2]
    luma = _aligned_luma(pixels, points)
    counts = np.bincount(luma.reshape(-1), minlength=256)
    low, high = np.searchsorted(np.cumsum(counts), (0.05 * luma.size, 0.95 * luma.size))
    return FaceQuality(
        inter_eye_px=float(np.hypot(*(points[1] - points[0]))),
        height_share=(box[3] - box[1]) / height,
        inside=_inside(points, width, height),
        sharpness=_sharpness(luma, float(high - low)),
        under_share=float(counts[:UNDER].sum() / luma.size),
        over_share=float(counts[OVER + 1 :].sum() / luma.size),
        dynamic_range=float(high - low),
        uniformity=_uniformity(luma),
        pose=mesh.pose if mesh else None,
        eyes_closed=float(mesh.blendshapes[[EYE_BLINK_LEFT, EYE_BLINK_RIGHT]].mean()) if mesh else None,
        jaw_open=float(mesh.blendshapes[JAW_OPEN]) if mesh else None,
        motion_iod_per_s=motion_iod_per_s,
        presence=mesh.presence if mesh else None,
        mouth_cover=covered.mouth if covered else None,
        eyes_cover=covered.eyes if covered else None,
    )


def _inside(points: Floats, width: int, height: int) -> bool:
    """Whether forehead and chin, extrapolated from the points, and both sides lie in the frame."""
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    across, down = points[1] - points[0], mouth - eyes
    sides = (points[0] - 0.4 * across, points[1] + 0.4 * across)
    marks = np.stack([eyes - 0.7 * down, mouth + 0.7 * down, *sides])
    return bool((marks >= 0).all() and (marks[:, 0] < width).all() and (marks[:, 1] < height).all())


def _aligned_luma(pixels: Pixels, points: Floats) -> Pixels:
    """Luma of the face between brow and chin, `uint8[112, 112]`, eyes level."""
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    across = points[1] - points[0]
    corners = np.stack([eyes - across, eyes + across, mouth + 0.5 * (mouth - eyes)]).astype(np.float32)
    to = np.array([[0, 36], [FACE_SIZE, 36], [FACE_SIZE / 2, FACE_SIZE]], dtype=np.float32)
    side, height = corners[1] - corners[0], corners[2] - corners[0]
    if abs(float(side[0] * height[1] - side[1] * height[0])) < 1.0:
        return np.zeros((FACE_SIZE, FACE_SIZE), dtype=np.uint8)
    face = cv2.warpAffine(pixels, cv2.getAffineTransform(corners, to), (FACE_SIZE, FACE_SIZE))
    return np.asarray(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def _sharpness(luma: Pixels, contrast: float) -> float:
    """Spread of the Laplacian over the contrast of the face; blur takes it towards 0."""
    laplacian = cv2.Laplacian(luma, cv2.CV_32F)
    return float(laplacian.std() / max(contrast, 1.0))


def _uniformity(luma: Pixels) -> float:
    """Intersection of the luma histograms of the left and right half, 0..1."""
    half = luma.shape[1] // 2
    left = np.bincount(luma[:, :half].reshape(-1) >> 3, minlength=32)
    right = np.bincount(luma[:, half:].reshape(-1) >> 3, minlength=32)
    return float(np.minimum(left, right).sum() / left.sum())
