"""Relit clips: recorded frames of a face as if a coloured light had shone on it.

The light adds to the ambient light the recording was made in. How much of it a surface returns is
what tells a face (shaded by its shape) from paper (evenly) and from a display (hardly at all: glass
in front of black).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from liveness.light import light_at
from liveness.tones import GAMMA
from liveness.types import ColourSchedule, Floats, Pixels

DISPLAY_ALBEDO = 0.03


class Surface(Enum):
    """What the light falls on."""

    FACE = "face"
    PAPER = "paper"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True)
class Lamp:
    """A light that runs through a schedule.

    `ratio` is its luminance on the face over the ambient one at the base colour, 0.05 for a bright
    10-inch display in an ordinary shop; `lag_ms` is from display to frame.
    """

    schedule: ColourSchedule
    shown_at_ns: int
    ratio: float = 0.05
    lag_ms: float = 70.0


class Relighter:
    """Adds a lamp's light to frames."""

    def __init__(self, lamp: Lamp, surface: Surface = Surface.FACE) -> None:
        self._lamp = lamp
        self._surface = surface

    def relight(self, pixels: Pixels, points: Floats, *, at_ns: int) -> Pixels:
        """The frame as the camera would have seen it.

        Args:
            pixels: `uint8[H, W, 3]` BGR as recorded.
            points: `float32[5, 2]`.
            at_ns: when the frame is taken, on the clock of the lamp.
        """
        since_ms = np.array([(at_ns - self._lamp.shown_at_ns) / 1e6 - self._lamp.lag_ms], dtype=np.float32)
        if since_ms[0] < 0 or since_ms[0] > self._lamp.schedule.duration_ms:
            return pixels
        light = light_at(self._lamp.schedule, since_ms)[0]
        base = float(np.mean(self._lamp.schedule.steps[0].rgb))
        gain = self._lamp.ratio / base * light[::-1] * self._albedo()
        region = _region(pixels.shape, points)
        lit = pixels.copy()
        lit[region] = _lit(pixels[region], _shading(region, points, self._surface), gain)
        return lit

    def _albedo(self) -> float:
        return DISPLAY_ALBEDO if self._surface is Surface.DISPLAY else 1.0


def _lit(pixels: Pixels, shading: Floats, gain: Floats) -> Pixels:
    """Multiply linear light by 1 + gain times shading, in steps fine enough for 8 bits."""
    factor = (1.0 + shading[:, :, None] * gain[None, None, :].astype(np.float32)) ** (1.0 / GAMMA)
    lit = pixels.astype(np.float32) * factor
    # Rounding all pixels alike would swallow a weak light; a real sensor's noise dithers it.
    dither = np.random.default_rng(int(pixels[::16, ::16].sum())).random(pixels.shape, dtype=np.float32)
    return np.asarray(np.clip(lit + dither - 0.5, 0, 255).round(), dtype=np.uint8)


def _region(shape: tuple[int, ...], points: Floats) -> tuple[slice, slice]:
    """The part of the frame that the light reaches: rows, columns."""
    centre, radii = _ellipse(points)
    low = np.maximum(centre - 2.2 * radii, 0).astype(int)
    high = np.minimum(centre + 2.2 * radii, [shape[1], shape[0]]).astype(int)
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _ellipse(points: Floats) -> tuple[Floats, Floats]:
    """Centre and half axes of the face, x then y."""
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    iod = max(float(np.hypot(*(points[1] - points[0]))), 1.0)
    tall = max(1.6 * float(np.hypot(*(mouth - eyes))), 1.3 * iod)
    return (eyes + mouth) / 2, np.array([1.15 * iod, tall], dtype=np.float32)


def _shading(region: tuple[slice, slice], points: Floats, surface: Surface) -> Floats:
    """Share of the light each pixel returns, 0..1: an upright half ellipsoid for a face, even for paper."""
    centre, radii = _ellipse(points)
    x = (np.arange(region[1].start, region[1].stop, dtype=np.float32) - centre[0]) / radii[0]
    y = (np.arange(region[0].start, region[0].stop, dtype=np.float32) - centre[1]) / radii[1]
    distance = x[None, :] ** 2 + y[:, None] ** 2
    if surface is Surface.FACE:
        facing = np.sqrt(np.clip(1.0 - distance, 0.0, 1.0))
        edge = 1.0 / (1.0 + np.exp(np.clip((distance - 1.0) * 12.0, -50.0, 50.0)))
        return np.asarray(np.maximum(facing, 0.15 * edge), dtype=np.float32)
    return np.asarray(np.clip(2.0 - distance / 2.0, 0.0, 1.0), dtype=np.float32)
