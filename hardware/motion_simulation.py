"""Makes camera frames from one still photo: a hand that sways a little and a sensor that hisses.

Everything is drawn from a seed, so a run can be repeated to the byte. What is simulated is only the
camera: nothing here blinks, turns or smiles.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from hardware.types import Pixels

# A hand that holds a phone sways by about a percent of the picture at 0.3 to 2 Hz; the sum of three
# sines a degree of freedom at incommensurable frequencies looks like it and never repeats exactly.
_SWAYS = 3
_SLOWEST_RAD, _FASTEST_RAD = 0.06, 0.42
_SHIFT, _TURN_DEG, _ZOOM, _LIGHT = 0.006, 0.5, 0.006, 0.012
_NOISE_SIGMA = 2.0
_NOISE_MARGIN = 64
_BACKGROUND = 112


class HandHeldStill:
    """One photo as seen by a hand-held camera of a given frame size."""

    def __init__(self, photo: Pixels, size: tuple[int, int], seed: int) -> None:
        """Prepare the photo.

        Args:
            photo: `uint8[H, W, 3]` BGR.
            size: width and height of the frames in pixels.
            seed: the same seed gives the same frames.
        """
        random = np.random.default_rng(seed)
        self._size = size
        self._canvas = _on_canvas(photo, size)
        self._frequency = random.uniform(_SLOWEST_RAD, _FASTEST_RAD, (5, _SWAYS))
        self._phase = random.uniform(0, 2 * np.pi, (5, _SWAYS))
        self._noise = _noise_bank(size, random)
        self._random = random
        self._step = 0

    def frame(self) -> Pixels:
        """Return the next frame, `uint8[height, width, 3]` BGR."""
        width, height = self._size
        sway = np.sin(self._frequency * self._step + self._phase).mean(axis=1)
        self._step += 1
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), _TURN_DEG * sway[2], 1 + _ZOOM * sway[3])
        matrix[:, 2] += (_SHIFT * width * sway[0], _SHIFT * width * sway[1])
        moved = cv2.warpAffine(self._canvas, matrix, self._size, borderMode=cv2.BORDER_REPLICATE)
        lit = cv2.convertScaleAbs(moved, alpha=1 + _LIGHT * sway[4])
        top, left = self._random.integers(0, _NOISE_MARGIN, 2)
        noise = self._noise[top : top + height, left : left + width]
        return np.asarray(cv2.add(lit, noise, dtype=cv2.CV_8U), dtype=np.uint8)


def _noise_bank(size: tuple[int, int], random: np.random.Generator) -> npt.NDArray[np.int16]:
    # Drawing fresh noise for every frame costs more than the detector; a window at a random place of
    # a larger sheet is as good for the eye and for the detectors of repeated frames.
    shape = (size[1] + _NOISE_MARGIN, size[0] + _NOISE_MARGIN, 3)
    return np.rint(random.normal(0, _NOISE_SIGMA, shape)).astype(np.int16)


def _on_canvas(photo: Pixels, size: tuple[int, int]) -> Pixels:
    width, height = size
    scale = min(width / photo.shape[1], height / photo.shape[0])
    inner = (max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale)))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(photo, inner, interpolation=interpolation)
    canvas = np.full((height, width, 3), _BACKGROUND, np.uint8)
    top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = resized
    return canvas
