"""Mean linear light of six regions of the face, the raw material of the flash and pulse cues.

Regions are squares of 0.2 inter-eye distances around forehead, both cheeks, nose and chin, found
from the five points so that they follow the face without a mesh; the sixth row is the mean of
forehead and cheeks, weighted by area. Pixels at the sensor's ceiling cannot answer a light and are left
out, so that a shiny forehead does not silence the rest of the skin.
"""

from __future__ import annotations

import numpy as np

from liveness.types import Floats, Pixels

HALF_SIDE_IOD = 0.2
GAMMA = 2.2
CEILING = 250
_LEAST_KEPT = 0.1
"""Share of a region that must lie below the ceiling; what is left of less is the rim of a highlight."""
FOREHEAD, LEFT_CHEEK, RIGHT_CHEEK, NOSE, CHIN, SKIN = range(6)

_LINEAR = ((np.arange(256) / 255.0) ** GAMMA).astype(np.float32)


def measure_tones(pixels: Pixels, points: Floats) -> tuple[Floats, float] | None:
    """Tones `float32[6, 3]` (R, G, B, linear 0..1) and the share of the skin at the sensor's ceiling.

    None where a skin region lies outside the frame.
    """
    centres, half = _regions(points)
    patches = [_patch(pixels, centre, half) for centre in centres]
    if any(patches[i] is None for i in (FOREHEAD, LEFT_CHEEK, RIGHT_CHEEK)):
        return None
    tones = np.zeros((6, 3), dtype=np.float32)
    clipped = np.zeros(6)
    for row, patch in enumerate(patches):
        if patch is not None:
            tones[row], clipped[row] = _tone(patch.reshape(-1, 3))
    tones[SKIN] = tones[:NOSE].mean(axis=0)
    return tones, float(clipped[:NOSE].mean())


def _tone(pixels: Pixels) -> tuple[Floats, float]:
    """Mean linear R, G, B of the pixels below the ceiling, or of all where hardly any is; share at it."""
    below = (pixels < CEILING).all(axis=1)
    kept = float(below.mean())
    used = pixels[below] if kept >= _LEAST_KEPT else pixels
    return _LINEAR[used].mean(axis=0)[::-1], 1.0 - kept


def _regions(points: Floats) -> tuple[Floats, float]:
    """Centres `float32[5, 2]` and half the side in pixels."""
    left_eye, right_eye, nose, left_mouth, right_mouth = points
    eyes, mouth = (left_eye + right_eye) / 2, (left_mouth + right_mouth) / 2
    across, down = right_eye - left_eye, mouth - eyes
    iod = max(float(np.hypot(*across)), 1.0)
    centres = np.stack(
        [
            eyes - 0.55 * down,
            left_eye + 0.55 * down - 0.1 * across,
            right_eye + 0.55 * down + 0.1 * across,
            nose,
            mouth + 0.4 * down,
        ]
    )
    return centres.astype(np.float32), HALF_SIDE_IOD * iod


def _patch(pixels: Pixels, centre: Floats, half: float) -> Pixels | None:
    height, width = pixels.shape[:2]
    x1, x2 = round(float(centre[0]) - half), round(float(centre[0]) + half)
    y1, y2 = round(float(centre[1]) - half), round(float(centre[1]) + half)
    if x1 < 0 or y1 < 0 or x2 >= width or y2 >= height or x2 - x1 < 2 or y2 - y1 < 2:
        return None
    return pixels[y1:y2, x1:x2]
