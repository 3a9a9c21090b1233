"""Re-photographed pictures: a display or a print in front of a camera, simulated.

What a camera adds when it looks at a picture instead of a face: the display's colour stripes and
black matrix at a chosen number of display pixels per camera pixel (which beat with the sensor's grid),
or the print's halftone, lost contrast and uneven light; then tilt, defocus, the Bayer mosaic, noise,
sharpening and JPEG.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np

from liveness.types import Floats, Pixels


class Medium(Enum):
    """What the picture is shown on."""

    DISPLAY = "display"
    PRINT = "print"


@dataclass(frozen=True, slots=True)
class Setup:
    """How the picture is photographed; the defaults are a careful attacker's."""

    medium: Medium
    display_px_per_px: float = 1.0
    tilt: float = 0.03
    defocus_px: float = 0.8
    noise: float = 2.0
    sharpen: float = 0.5
    jpeg_quality: int = 85
    seed: int = 0


def rephotograph(pixels: Pixels, setup: Setup) -> Pixels:
    """The picture as a camera sees it on the medium, `uint8[H, W, 3]` BGR."""
    random = np.random.default_rng(setup.seed)
    light = pixels.astype(np.float32) / 255.0
    shown = _display(light, setup) if setup.medium is Medium.DISPLAY else _print(light, random)
    seen = _tilted(shown, setup.tilt, random)
    if setup.defocus_px > 0:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), setup.defocus_px), dtype=np.float32)
    raw = _bayer(seen) + random.normal(0.0, setup.noise / 255.0, seen.shape).astype(np.float32)
    crisp = raw + setup.sharpen * (raw - cv2.GaussianBlur(raw, (0, 0), 1.2))
    return _compressed(np.clip(crisp * 255.0, 0, 255).round().astype(np.uint8), setup.jpeg_quality)


def _display(light: Floats, setup: Setup) -> Floats:
    """Each display pixel has three stripes and a dark rim; the camera samples them coarsely."""
    height, width = light.shape[:2]
    x = np.arange(width, dtype=np.float32) * setup.display_px_per_px
    y = np.arange(height, dtype=np.float32) * setup.display_px_per_px
    stripes = np.stack([_stripe(x, centre) for centre in (5 / 6, 3 / 6, 1 / 6)], axis=1)
    rows = 1.0 - 0.35 * (np.mod(y, 1.0) > 0.85)
    return np.asarray(np.clip(light * stripes[None, :, :] * rows[:, None, None], 0, 1), dtype=np.float32)


def _stripe(x: Floats, centre: float) -> Floats:
    """How much of one colour's stripe a camera pixel at x catches, mean 1."""
    return np.asarray(1.0 + 0.35 * np.cos(2 * np.pi * (x - centre)), dtype=np.float32)


def _print(light: Floats, random: np.random.Generator) -> Floats:
    """Halftone dots, paper white and ink black that are grey, and one-sided light."""
    height, width = light.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    dots = 0.5 + 0.25 * (np.cos(2 * np.pi * (x + y) / 3.1) + np.cos(2 * np.pi * (x - y) / 3.1))
    inked = np.clip(light + 0.10 * (dots[:, :, None] - 0.5), 0, 1)
    slope = float(random.uniform(-0.15, 0.15))
    lit = (0.08 + 0.80 * inked) * (1.0 + slope * (x / width - 0.5))[:, :, None]
    return np.asarray(np.clip(lit, 0, 1), dtype=np.float32)


def _tilted(light: Floats, tilt: float, random: np.random.Generator) -> Floats:
    height, width = light.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    moved = corners + random.uniform(-tilt, tilt, (4, 2)).astype(np.float32) * [width, height]
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    seen = cv2.warpPerspective(light, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, dtype=np.float32)


def _bayer(light: Floats) -> Floats:
    """Sample through an RGGB mosaic and fill in again."""
    levels = np.clip(light * 255.0, 0, 255).astype(np.uint8)
    mosaic = np.empty(levels.shape[:2], dtype=np.uint8)
    mosaic[0::2, 0::2] = levels[0::2, 0::2, 2]
    mosaic[0::2, 1::2] = levels[0::2, 1::2, 1]
    mosaic[1::2, 0::2] = levels[1::2, 0::2, 1]
    mosaic[1::2, 1::2] = levels[1::2, 1::2, 0]
    return np.asarray(cv2.cvtColor(mosaic, cv2.COLOR_BayerBG2BGR), dtype=np.float32) / 255.0


def _compressed(pixels: Pixels, quality: int) -> Pixels:
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
