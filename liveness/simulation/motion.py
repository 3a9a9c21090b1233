"""One photo moved like a flat print, a bent print, or the solid head it shows.

A surface is a photo with a depth for every pixel. It is rotated about the vertical axis through the
face, seen by a pinhole camera, and drawn by looking up, for every pixel of the frame, where on the
photo it comes from. The flat and bent kinds are attacks; the solid kind stands in for a person who
turns the head where only a photo is at hand, and is labelled simulated like everything here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np

from liveness.types import Floats, Pixels

_FOCAL_OVER_WIDTH = 1.2
_DISTANCE_OVER_FOCAL = 1.0
_ROUNDS = 12


class Shape(Enum):
    """What the photo is on."""

    FLAT = "flat"
    BENT = "bent"
    SOLID = "solid"


@dataclass(frozen=True, slots=True)
class Moved:
    """How a surface lies: degrees about the vertical axis (positive shows the shopper's own left turn),
    and about the horizontal one."""

    yaw: float
    pitch: float = 0.0


class MovingPhoto:
    """A photo that can be turned.

    Args:
        photo: `uint8[H, W, 3]` BGR.
        shape: what it is on.
        centre: x, y of the axis, usually the face's centre.
        bend_radius: for BENT, in heights of the face.
        bend_axis: for BENT, degrees of the axis from upright.
        face_height: in pixels.
        landmarks: for SOLID, `float32[N, 3]` in pixels, z towards the back.
    """

    def __init__(
        self,
        photo: Pixels,
        shape: Shape,
        *,
        centre: tuple[float, float],
        face_height: float,
        bend_radius: float = 0.55,
        bend_axis: float = 0.0,
        landmarks: Floats | None = None,
    ) -> None:
        self._photo = photo
        height, width = photo.shape[:2]
        self._focal = _FOCAL_OVER_WIDTH * width
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        self._x, self._y = x, y
        self._centre = centre
        around = (x - centre[0], y - centre[1])
        if shape is Shape.BENT:
            self._surface = _bent(*around, bend_radius * face_height, bend_axis)
        elif shape is Shape.SOLID and landmarks is not None:
            self._surface = (*around, _depth(*around, landmarks, centre))
        else:
            self._surface = (*around, np.zeros_like(x))

    def frame(self, moved: Moved) -> Pixels:
        """The photo as the camera sees it in this position."""
        shift_x, shift_y = self._displacement(moved)
        source_x, source_y = self._x.copy(), self._y.copy()
        for _ in range(_ROUNDS):
            now_x = cv2.remap(shift_x, source_x, source_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            now_y = cv2.remap(shift_y, source_x, source_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            source_x, source_y = self._x - now_x, self._y - now_y
        seen = cv2.remap(self._photo, source_x, source_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(seen, dtype=np.uint8)

    def _displacement(self, moved: Moved) -> tuple[Floats, Floats]:
        """Where each pixel of the photo goes, as a shift in pixels."""
        x, y, z = self._surface
        yaw, pitch = np.deg2rad(moved.yaw), np.deg2rad(moved.pitch)
        # z points away from the camera, so turning towards image right brings the left side nearer.
        x1, z1 = x * np.cos(yaw) - z * np.sin(yaw), x * np.sin(yaw) + z * np.cos(yaw)
        y1, z1 = y * np.cos(pitch) - z1 * np.sin(pitch), y * np.sin(pitch) + z1 * np.cos(pitch)
        distance = self._focal * _DISTANCE_OVER_FOCAL
        scale = distance / np.maximum(distance + z1, 0.2 * distance)
        shift_x = x1 * scale + self._centre[0] - self._x
        shift_y = y1 * scale + self._centre[1] - self._y
        return shift_x.astype(np.float32), shift_y.astype(np.float32)


def _bent(x: Floats, y: Floats, radius: float, axis: float) -> tuple[Floats, Floats, Floats]:
    """The photo's pixels on a cylinder, its axis that many degrees from upright, z away from the camera."""
    cos, sin = float(np.cos(np.deg2rad(axis))), float(np.sin(np.deg2rad(axis)))
    across, along = x * cos + y * sin, y * cos - x * sin
    angle = np.clip(across / radius, -1.5, 1.5)
    bent = radius * np.sin(angle)
    return (
        (bent * cos - along * sin).astype(np.float32),
        (bent * sin + along * cos).astype(np.float32),
        (radius * (1 - np.cos(angle))).astype(np.float32),
    )


def _depth(x: Floats, y: Floats, landmarks: Floats, centre: tuple[float, float]) -> Floats:
    """Depth between the landmarks by inverse distance weighting on a coarse grid, then smoothed."""
    points = landmarks - np.array([*centre, 0.0], dtype=np.float32)
    depth = points[:, 2] - points[:, 2].mean()
    rows, columns = 60, 60
    height, width = x.shape
    grid_x = np.linspace(float(x[0, 0]), float(x[0, -1]), columns, dtype=np.float32)
    grid_y = np.linspace(float(y[0, 0]), float(y[-1, 0]), rows, dtype=np.float32)
    squares = (grid_x[None, :, None] - points[:, 0]) ** 2 + (grid_y[:, None, None] - points[:, 1]) ** 2
    nearest = squares.min(axis=2)
    size = float(np.ptp(points[:, 0]))
    weights = 1.0 / (squares + (0.02 * size) ** 2) ** 2
    coarse = (weights * depth).sum(axis=2) / weights.sum(axis=2)
    # Behind the outline of the face the head falls back to the level of its rim.
    rim = float(np.percentile(depth, 95))
    away = np.clip(np.sqrt(nearest) / (0.25 * size) - 0.2, 0.0, 1.0)
    coarse = coarse * (1 - away) + rim * away
    smooth = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.GaussianBlur(smooth, (0, 0), 0.015 * size + 0.5), dtype=np.float32)
