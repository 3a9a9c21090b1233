"""YuNet, the face detector of OpenCV Zoo, through OpenCV's own class."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facepay.errors import Fault
from facepay.types import Detection, Pixels

_MOST_FACES = 50
_LOG_ERRORS_ONLY = 2


class YunetDetector:
    """Finds faces with five points in a picture scaled to at most `longest_side` pixels."""

    def __init__(self, path: Path, longest_side: int, score: float, nms: float) -> None:
        """Load the model.

        Args:
            path: the ONNX file.
            longest_side: pictures are scaled down to this, in pixels.
            score: least detection score 0..1.
            nms: overlap 0..1 above which two boxes are one face.

        Raises:
            Fault: OpenCV cannot read the file.
        """
        self._longest_side = longest_side
        # OpenCV 5 warns at every load that its new engine has no targets to choose from.
        cv2.utils.logging.setLogLevel(_LOG_ERRORS_ONLY)
        try:
            self._yunet: Any = cv2.FaceDetectorYN.create(
                str(path), "", (longest_side, longest_side), score, nms, _MOST_FACES
            )
        except cv2.error as error:
            raise Fault(f"the detector {path.name} cannot be loaded: {error}") from error
        # One object keeps the input size between two calls, so calls must not cross.
        self._lock = threading.Lock()

    def detect(self, pixels: Pixels) -> tuple[Detection, ...]:
        """Return every face in `uint8[H, W, 3]` BGR, largest first."""
        height, width = pixels.shape[:2]
        scale = min(1.0, self._longest_side / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR) if scale < 1 else pixels
        with self._lock:
            self._yunet.setInputSize(size)
            _, rows = self._yunet.detect(small)
        found = [] if rows is None else [_detection(row / scale, float(row[14])) for row in rows]
        return tuple(sorted(found, key=lambda face: -face.height))


def _detection(row: Any, score: float) -> Detection:
    # A row is x, y, width, height, five points and the score (OpenCV 4.5.4, FaceDetectorYN).
    x, y, width, height = (float(value) for value in row[:4])
    return Detection((x, y, x + width, y + height), np.asarray(row[4:14], np.float32).reshape(5, 2), score)
