"""What an attacker brings: a phone that shows a payer, and an injected recording that loops.

Both are simulated and labelled so. How often such attacks pass is not measured here; see
`docs/liveness.md` for what is.
"""

from __future__ import annotations

from itertools import cycle

import cv2
import numpy as np

from facepay.demo.stage import HEIGHT, WIDTH, Scene
from facepay.types import Pixels
from hardware.motion_simulation import HandHeldStill

BEZEL = 12
LOOP_FRAMES = 9


def on_a_phone(photo: Pixels) -> Pixels:
    """The photo on a phone's screen, held up in a dim room: bezel, glow, pixel grid and moire."""
    room = np.full((HEIGHT, WIDTH, 3), 70, np.uint8)
    tall = round(HEIGHT * 0.8)
    wide = round(tall * 0.62)
    scale = tall / photo.shape[0]
    shown = cv2.resize(photo, (round(photo.shape[1] * scale), tall), interpolation=cv2.INTER_AREA)
    left = max(0, (shown.shape[1] - wide) // 2)
    shown = shown[:, left : left + wide].astype(np.float32)
    rows, columns = np.mgrid[0 : shown.shape[0], 0 : shown.shape[1]]
    grid = 0.82 + 0.12 * np.cos(columns * 2.1) * np.cos(rows * 1.9) + 0.06 * np.cos((rows + columns) / 9)
    screen = np.clip(shown * grid[..., None] * (1.16, 1.06, 0.96), 0, 255).astype(np.uint8)
    top, side = (HEIGHT - screen.shape[0]) // 2, (WIDTH - screen.shape[1]) // 2
    edge = (
        slice(top - BEZEL, top + screen.shape[0] + BEZEL),
        slice(side - BEZEL, side + screen.shape[1] + BEZEL),
    )
    room[edge] = 12
    room[top : top + screen.shape[0], side : side + screen.shape[1]] = screen
    return room


def looped(photo: Pixels, seed: int) -> Scene:
    """A short recording of the photo, injected instead of the camera's frames, over and over."""
    still = HandHeldStill(photo, (WIDTH, HEIGHT), seed)
    frames = cycle([still.frame() for _ in range(LOOP_FRAMES)])
    return lambda: next(frames).copy()
