"""The quality gate: is there exactly one face in range, and is it good enough to be embedded?

Success is silence. What is not good enough comes with one hint of what the shopper can do about it;
the order of the checks is the order in which a person can act on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from facepay.errors import FailureToAcquire
from facepay.recognition.alignment import align
from facepay.types import Detection, Pixels, Points, Quality, QualityHint

_DENOISE_SIGMA = 0.8


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """What is good enough. Shares are of the frame's height or width, 0..1.

    `yaw` and `pitch` are how far the nose may be from where a frontal face has it, in eye distances;
    `roll_deg` in degrees. Brightness is mean luminance 0..255; `sharpness` is the variance of the
    Laplacian of the aligned face after its contrast is evened out. `bystander` is how tall a second
    face may be, as a share of the first, before the shopper is asked to come alone.
    """

    least_score: float = 0.6
    least_height_px: int = 80
    least_height: float = 0.18
    greatest_height: float = 0.92
    bystander: float = 0.5
    off_centre_x: float = 0.30
    off_centre_y: float = 0.30
    yaw: float = 0.42
    pitch: float = 0.40
    roll_deg: float = 30.0
    dark: float = 45.0
    bright: float = 225.0
    clipped: float = 0.45
    sharpness: float = 16.0


@dataclass(frozen=True, slots=True)
class Assessment:
    """Verdict on one frame: the face it is about and its aligned crop, where there is one."""

    quality: Quality
    detection: Detection | None = None
    face: Pixels | None = field(default=None, repr=False)


class QualityGate:
    """Judges frames against fixed limits."""

    def __init__(self, limits: QualityLimits | None = None) -> None:
        self._limits = limits or QualityLimits()

    def judge(self, pixels: Pixels, detections: tuple[Detection, ...]) -> Assessment:
        """Judge one frame.

        Args:
            pixels: `uint8[H, W, 3]` BGR.
            detections: every face found in it.

        Returns:
            An acceptable assessment with the aligned face, or the hint to show.
        """
        limits = self._limits
        faces = sorted((d for d in detections if d.score >= limits.least_score), key=lambda d: -d.height)
        if not faces:
            return _refused(QualityHint.NO_FACE)
        main = faces[0]
        if len(faces) > 1 and faces[1].height >= limits.bystander * main.height:
            return _refused(QualityHint.ONE_PERSON, main)
        hint = self._placement(pixels, main)
        if hint is not QualityHint.NONE:
            return _refused(hint, main)
        try:
            face = align(pixels, main.points)
        except FailureToAcquire:
            return _refused(QualityHint.LOOK_HERE, main)
        hint = self._appearance(face)
        return Assessment(Quality(self._score(main, face), hint), main, face)

    def _placement(self, pixels: Pixels, face: Detection) -> QualityHint:
        limits = self._limits
        height, width = pixels.shape[:2]
        if face.height < max(limits.least_height_px, limits.least_height * height):
            return QualityHint.COME_CLOSER
        if face.height > limits.greatest_height * height:
            return QualityHint.STEP_BACK
        x1, y1, x2, y2 = face.box
        if abs((x1 + x2) / 2 - width / 2) > limits.off_centre_x * width:
            return QualityHint.CENTRE
        if abs((y1 + y2) / 2 - height / 2) > limits.off_centre_y * height:
            return QualityHint.CENTRE
        yaw, pitch, roll = pose(face.points)
        if abs(yaw) > limits.yaw or abs(pitch) > limits.pitch or abs(roll) > limits.roll_deg:
            return QualityHint.LOOK_HERE
        return QualityHint.NONE

    def _appearance(self, face: Pixels) -> QualityHint:
        limits = self._limits
        grey = cv2.cvtColor(face[16:100, 20:92], cv2.COLOR_BGR2GRAY)
        brightness = float(grey.mean())
        if brightness < limits.dark:
            return QualityHint.MORE_LIGHT
        if brightness > limits.bright or float((grey >= 250).mean()) > limits.clipped:
            return QualityHint.LESS_LIGHT
        if sharpness(face) < limits.sharpness:
            return QualityHint.HOLD_STILL
        return QualityHint.NONE

    def _score(self, detection: Detection, face: Pixels) -> float:
        yaw, pitch, _ = pose(detection.points)
        frontal = 1 - min(1.0, max(abs(yaw) / self._limits.yaw, abs(pitch) / self._limits.pitch))
        sharp = min(1.0, sharpness(face) / (6 * self._limits.sharpness))
        large = min(1.0, detection.height / (2.5 * self._limits.least_height_px))
        return float(0.45 * frontal + 0.35 * sharp + 0.2 * large)


def pose(points: Points) -> tuple[float, float, float]:
    """Estimate where a head points from `float32[5, 2]`.

    Returns:
        Yaw and pitch as offsets of the nose from its frontal place in eye distances, positive to the
        right and down in the picture, and roll in degrees.
    """
    right_eye, left_eye, nose, right_mouth, left_mouth = np.asarray(points, np.float64)
    across = left_eye - right_eye
    distance = float(np.hypot(*across)) or 1e-6
    roll = float(np.degrees(np.arctan2(across[1], across[0])))
    along = across / distance
    down = np.array([-along[1], along[0]])
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    face_height = float((mouth - eyes) @ down) or 1e-6
    yaw = float((nose - (eyes + mouth) / 2) @ along) / distance
    # On a frontal face the nose tip is a little more than half way from the eyes to the mouth.
    pitch = float((nose - eyes) @ down) / face_height - 0.55
    return yaw, pitch, roll


def sharpness(face: Pixels) -> float:
    """Variance of the Laplacian of an aligned face, made independent of its contrast; higher is sharper."""
    grey = cv2.cvtColor(face[16:100, 16:96], cv2.COLOR_BGR2GRAY).astype(np.float32)
    # A light blur first, or the sensor's noise would pass for detail.
    smooth = cv2.GaussianBlur(grey, (0, 0), _DENOISE_SIGMA)
    spread = max(float(smooth.std()), 8.0)
    return float(cv2.Laplacian(smooth * (50.0 / spread), cv2.CV_32F).var())


def _refused(hint: QualityHint, detection: Detection | None = None) -> Assessment:
    return Assessment(Quality(0.0, hint), detection)
