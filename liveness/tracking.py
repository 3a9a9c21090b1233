"""Follows points of the skin by their own texture, without any network, from a neutral face into a turn.

A landmark network puts an average face's depth on whatever it sees, also on paper. Optical flow (Lucas
and Kanade, pyramidal, checked forwards and backwards) has no such idea: where a point of the picture
went is where it went. The points start on landmarks of a neutral face and are followed from frame to
frame at a fixed scale of the face; a point that cannot be found again is given up for good.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from liveness.relief import RIGID
from liveness.types import Floats, Mesh, Pixels

# Beside the rigid landmarks the edges of the nose and the inner brows, where there is texture to follow.
# fmt: off
SEEDS = np.union1d(RIGID, np.array([
    2, 19, 94, 97, 326, 164, 48, 278, 64, 294, 60, 290, 129, 358, 44, 45, 274, 275, 79, 309, 141, 370,
    218, 438, 220, 440, 55, 285, 107, 336, 66, 296, 105, 334, 173, 398, 246, 466,
]))
# fmt: on

LEAST_POINTS = 40
_EYES_PX = 48.0
"""Distance of the eyes in the picture that flow is measured in."""
_AROUND_EYES = 2.2
_MAX_RETURN_PX = 0.8
_SMOOTHED = 0.7

_Gray = npt.NDArray[np.uint8]


class SkinTracker:
    """Follows the points of one face.

    Args:
        pixels: the first frame, `uint8[H, W, 3]` BGR.
        mesh: landmarks of the neutral face in it.
    """

    def __init__(self, pixels: Pixels, mesh: Mesh) -> None:
        eyes = mesh.points[[33, 133, 362, 263], :2].reshape(2, 2, 2).mean(axis=1)
        self._scale = _EYES_PX / max(float(np.hypot(*(eyes[1] - eyes[0]))), 1.0)
        self._points = mesh.points[SEEDS, :2].astype(np.float32)
        self._alive: npt.NDArray[np.bool_] = np.asarray(np.isfinite(self._points).all(axis=1))
        self._step = np.zeros(2, np.float32)
        self._before = self._crop(pixels)

    def follow(self, pixels: Pixels) -> Floats | None:
        """Where the points went, `float32[N, 2]` in frame pixels, NaN for those lost; None for too few.

        Args:
            pixels: the next frame.
        """
        if int(self._alive.sum()) < LEAST_POINTS:
            return None
        picture, to_crop = self._before
        moved = _cropped(pixels, to_crop)
        # Whoever moved moves on, as a first guess.
        start, hoped = _into(self._points, to_crop), _into(self._points + self._step, to_crop)
        found, there = _flow(picture, moved, start, hoped)
        back, again = _flow(moved, picture, found, start)
        self._alive &= there & again & (np.hypot(*(back - start).T) < _MAX_RETURN_PX)
        frame = (found - to_crop[:, 2]) / self._scale
        if self._alive.any():
            self._step = np.median((frame - self._points)[self._alive], axis=0).astype(np.float32)
        self._points = np.where(self._alive[:, None], frame, self._points).astype(np.float32)
        if int(self._alive.sum()) < LEAST_POINTS:
            return None
        self._before = self._crop(pixels)
        return np.where(self._alive[:, None], self._points, np.nan).astype(np.float32)

    @property
    def points(self) -> Floats:
        """Where the points are now, `float32[N, 2]`."""
        return self._points.copy()

    def _crop(self, pixels: Pixels) -> tuple[_Gray, Floats]:
        """The face at the fixed scale, and the affine map `float32[2, 3]` from the frame into it."""
        half = _AROUND_EYES * _EYES_PX / self._scale
        x, y = self._points[self._alive].mean(axis=0) - half if self._alive.any() else (0.0, 0.0)
        to_crop = np.array(
            [[self._scale, 0, -self._scale * x], [0, self._scale, -self._scale * y]], dtype=np.float32
        )
        return _cropped(pixels, to_crop), to_crop


def _cropped(pixels: Pixels, to_crop: Floats) -> _Gray:
    side = round(2 * _AROUND_EYES * _EYES_PX)
    crop = cv2.warpAffine(pixels, to_crop, (side, side), flags=cv2.INTER_LINEAR)
    gray = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.GaussianBlur(gray, (0, 0), _SMOOTHED), dtype=np.uint8)


def _into(points: Floats, to_crop: Floats) -> Floats:
    return np.asarray(points * to_crop[0, 0] + to_crop[:, 2], dtype=np.float32)


def _flow(before: _Gray, after: _Gray, start: Floats, guess: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        start[:, None],
        guess[:, None].copy(),
        winSize=(13, 13),
        maxLevel=3,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.02),
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return np.asarray(found[:, 0], dtype=np.float32), status[:, 0] > 0
