"""Closes the eyes on a picture, because photos of people hardly ever show a blink.

The skin between brow and upper lid is stretched down to the lower lid and the eye is squeezed into what
is left. The landmark numbers are those of the teacher's face mesh.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from training.degrade import Pixels

Floats = npt.NDArray[np.float32]

# Corner to corner, image left to right, upper lid above lower lid, and the brow over them.
_EYES = (
    (
        (33, 246, 161, 160, 159, 158, 157, 173, 133),
        (33, 7, 163, 144, 145, 153, 154, 155, 133),
        (46, 53, 52, 65, 55),
    ),
    (
        (362, 398, 384, 385, 386, 387, 388, 466, 263),
        (362, 382, 381, 380, 374, 373, 390, 249, 263),
        (285, 295, 282, 283, 276),
    ),
)


def close_eyes(pixels: Pixels, points: Floats, shut: float) -> Pixels:
    """Bring the upper lids down by the share `shut` 0..1 of the way to the lower ones.

    Args:
        pixels: `uint8[H, W, 3]` BGR, eyes about level.
        points: `float32[478, 2 or 3]` landmarks in its pixels.
    """
    height, width = pixels.shape[:2]
    rows = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
    for upper, lower, brow in _EYES:
        left, right = float(points[upper[0], 0]), float(points[upper[-1], 0])
        if right - left < 4:
            continue
        columns = np.arange(max(0, int(left)), min(width, int(right) + 1))
        top = np.interp(columns, *_line(points, brow))
        lid, floor = np.interp(columns, *_line(points, upper)), np.interp(columns, *_line(points, lower))
        for column, y_top, y_lid, y_floor in zip(columns, top, lid, floor, strict=True):
            if y_lid - y_top < 2 or y_floor <= y_lid:
                continue
            moved = y_lid + (y_floor - y_lid) * shut * 0.95
            span = np.arange(max(0, int(y_top)), min(height, int(np.ceil(y_floor)) + 1))
            rows[span, column] = np.interp(span, (y_top, moved, y_floor), (y_top, y_lid, y_floor))
    x = np.repeat(np.arange(width, dtype=np.float32)[None], height, axis=0)
    return np.asarray(cv2.remap(pixels, x, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _line(points: Floats, numbers: tuple[int, ...]) -> tuple[Floats, Floats]:
    line = points[list(numbers), :2]
    line = line[np.argsort(line[:, 0])]
    return line[:, 0], line[:, 1]
