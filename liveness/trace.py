"""Trace of what moves in a stream, to find loops and shuffles that exact hashes cannot see.

Each frame is kept as a small luma picture without its mean and contrast, so that neither a coloured
light nor exposure control counts as motion. In a loop, pictures one period apart differ by noise
only, while pictures at other distances differ by the motion; in an ordered stream neighbours are
more alike than pictures further apart. Both tests abstain where little moves, and neither sees a
film played backwards.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
import numpy.typing as npt

from liveness.types import Floats

_SIDE = 24
_KEEP = 360
_MIN_PERIOD_S = 0.3
_MIN_OVERLAP = 12
_LOOP_RATIO = 0.25
_MIN_MOTION = 0.12
_MIN_LOOP_MOTION = 0.03
_SHUFFLE_RATIO = 0.85
_NEAREST_RATIO = 0.6


class MotionTrace:
    """Keeps up to 360 small pictures of one try."""

    def __init__(self) -> None:
        self._pictures: deque[Floats] = deque(maxlen=_KEEP)
        self._times: deque[int] = deque(maxlen=_KEEP)

    def add(self, luma: npt.NDArray[np.uint8], *, at_ns: int) -> None:
        """Append one frame's luma, any size."""
        small = cv2.resize(luma, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        spread = float(small.std())
        self._pictures.append(((small - small.mean()) / max(spread, 1.0)).reshape(-1))
        self._times.append(at_ns)

    def loops(self) -> bool:
        """Whether pictures come back after they had moved away."""
        distances = self._distances()
        if distances is None:
            return False
        lags = range(1, len(distances) - _MIN_OVERLAP)
        means = np.array([np.diagonal(distances, lag).mean() for lag in lags])
        # Slow movement makes short distances small as well; a loop is small only after it was large.
        before = np.maximum.accumulate(means)
        least = self._least_period() - 1
        moved = before[least:] > _MIN_LOOP_MOTION
        return bool((moved & (means[least:] < _LOOP_RATIO * before[least:])).any())

    def is_shuffled(self) -> bool:
        """Whether neighbours are no more alike than frames a few steps apart though something moves."""
        distances = self._distances()
        if distances is None:
            return False
        near = float(np.diagonal(distances, 1).mean())
        far = float(np.mean([np.diagonal(distances, lag).mean() for lag in (3, 4, 5)]))
        # Pure noise has equal distances everywhere; shuffled motion has near ones, only not in order.
        others = distances + np.diag(np.full(len(distances), np.inf, dtype=np.float32))
        nearest = float(others.min(axis=1).mean())
        return far > _MIN_MOTION and near > _SHUFFLE_RATIO * far and nearest < _NEAREST_RATIO * far

    def _distances(self) -> Floats | None:
        """Root mean square differences between all pairs of pictures, or None for too few."""
        if len(self._pictures) < 2 * _MIN_OVERLAP:
            return None
        pictures = np.stack(self._pictures)
        products = pictures @ pictures.T
        squares = np.diag(products)
        spread = (squares[:, None] + squares[None, :] - 2 * products) / pictures.shape[1]
        return np.asarray(np.sqrt(np.maximum(spread, 0.0)), dtype=np.float32)

    def _least_period(self) -> int:
        interval_ns = float(np.median(np.diff(np.array(self._times, dtype=np.float64))))
        return max(3, round(_MIN_PERIOD_S * 1e9 / max(interval_ns, 1e6)))
