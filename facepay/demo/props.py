"""What an attacker brings: a phone that shows a payer, an injected recording that loops, spoiled streams.

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
from liveness.integrity import StreamIntegrity
from liveness.simulation.drawn import drawn_stream
from liveness.simulation.injection import FUZZERS
from liveness.stream_limits import limits_for
from liveness.types import Origin, Status

BEZEL = 14
SCREEN_SHARE, SCREEN_ASPECT = 0.9, 0.75
GLOW_BGR = (1.16, 1.06, 0.96)
LOOP_FRAMES = 9


def on_a_phone(photo: Pixels) -> Pixels:
    """The photo on a phone's screen, held up in a dim room: bezel, bluish glow and pixel grid."""
    room = np.full((HEIGHT, WIDTH, 3), 70, np.uint8)
    tall = round(HEIGHT * SCREEN_SHARE)
    wide = round(tall * SCREEN_ASPECT)
    cut = min(photo.shape[1], round(photo.shape[0] * SCREEN_ASPECT))
    left = (photo.shape[1] - cut) // 2
    shown = cv2.resize(photo[:, left : left + cut], (wide, tall)).astype(np.float32)
    rows, columns = np.mgrid[0:tall, 0:wide]
    grid = 0.95 + 0.05 * np.cos(columns * 2.1) * np.cos(rows * 1.9)
    screen = np.clip(shown * grid[..., None] * GLOW_BGR, 0, 255).astype(np.uint8)
    top, side = (HEIGHT - tall) // 2, (WIDTH - wide) // 2
    room[top - BEZEL : top + tall + BEZEL, side - BEZEL : side + wide + BEZEL] = 12
    room[top : top + tall, side : side + wide] = screen
    return room


def looped(photo: Pixels, seed: int) -> Scene:
    """A short recording of the photo, injected instead of the camera's frames, over and over."""
    still = HandHeldStill(photo, (WIDTH, HEIGHT), seed)
    frames = cycle([still.frame() for _ in range(LOOP_FRAMES)])
    return lambda: next(frames).copy()


def inject() -> dict[str, bool]:
    """Whether stream integrity refuses each of the shipped injection fuzzers, over a drawn face."""
    honest = drawn_stream(75, origin=Origin.DEVICE)
    refused = {}
    for name, spoil in FUZZERS.items():
        watch = StreamIntegrity(limits_for(Origin.DEVICE), nominal_rate=30.0, memory=None)
        watch.engage()
        for observation in spoil(honest):
            watch.watch(observation)
        refused[name] = watch.conclude().status is Status.REFUSE
    return refused
