"""A drawn face that sways a little before a noisy sensor: an honest stream without weights or photos.

For tests of whatever comes before and after the networks. No network takes the drawing for a face, so
the five points and the box come with it.
"""

from __future__ import annotations

import cv2
import numpy as np

from liveness.types import Box, Floats, Observation, Origin, Pixels

RATE = 30.0
BOX: Box = (108.0, 55.0, 212.0, 190.0)
_POINTS = ((136, 104), (184, 104), (160, 130), (144, 154), (176, 154))


class SteadyExpert:
    """A passive expert that always answers the same."""

    def __init__(self, probability: float | None = 0.95) -> None:
        self._probability = probability

    def score(self, pixels: Pixels, box: Box, points: Floats) -> float | None:
        """The probability it was made with."""
        return self._probability


def drawn_face() -> Pixels:
    """A face-like drawing, `uint8[240, 320, 3]`."""
    canvas = np.full((240, 320, 3), (120, 110, 100), np.uint8)
    cv2.ellipse(canvas, (160, 120), (52, 70), 0, 0, 360, (130, 150, 200), -1)
    for x in (136, 184):
        cv2.circle(canvas, (x, 104), 7, (40, 30, 30), -1)
    cv2.line(canvas, (160, 108), (158, 130), (90, 110, 160), 3)
    cv2.ellipse(canvas, (160, 154), (20, 6), 0, 0, 360, (70, 60, 150), -1)
    return canvas


def drawn_stream(count: int = 60, *, origin: Origin = Origin.REPLAY, seed: int = 0) -> list[Observation]:
    """Frames at 30 a second: the face sways, the sensor is noisy, time goes on."""
    random = np.random.default_rng(seed)
    face = drawn_face()
    return [_observation(face, number, random, origin) for number in range(count)]


def _observation(face: Pixels, number: int, random: np.random.Generator, origin: Origin) -> Observation:
    t = number / RATE
    dx, dy = 6 * np.sin(2.1 * t) + 3 * np.sin(3.7 * t + 1), 4 * np.sin(1.3 * t + 2)
    matrix = np.array([[1, 0, dx], [0, 1, dy]], dtype=np.float32)
    moved = cv2.warpAffine(face, matrix, (320, 240), borderMode=cv2.BORDER_REFLECT)
    noisy = np.clip(moved + random.normal(0, 2.0, moved.shape), 0, 255).astype(np.uint8)
    points = np.array(_POINTS, dtype=np.float32) + np.array([dx, dy], dtype=np.float32)
    box = (BOX[0] + dx, BOX[1] + dy, BOX[2] + dx, BOX[3] + dy)
    return Observation(noisy, round(t * 1e9) + 1, number, "camera", origin, box, points)
