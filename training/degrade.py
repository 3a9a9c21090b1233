"""What a shop does to a picture: light, lens, sensor and codec, at random.

Every function takes and returns `uint8[H, W, 3]` BGR and draws from the generator that it is given.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Rng = np.random.Generator


def light(rng: Rng, pixels: Pixels) -> Pixels:
    """Exposure, contrast, gamma and the colour of the lamp."""
    values = pixels.astype(np.float32) / 255.0
    values = np.power(values, rng.uniform(0.6, 1.6))
    values = (values - 0.5) * rng.uniform(0.7, 1.3) + 0.5 + rng.uniform(-0.12, 0.12)
    return _bytes(values * (1 + rng.uniform(-0.12, 0.12, 3).astype(np.float32)))


def side_light(rng: Rng, pixels: Pixels) -> Pixels:
    """A lamp or window at one side."""
    height, width = pixels.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    ramp = np.cos(angle) * (x / width - 0.5) + np.sin(angle) * (y / height - 0.5)
    return _bytes(pixels.astype(np.float32) / 255.0 * (1 + rng.uniform(0.3, 1.0) * ramp)[..., None])


def blur(rng: Rng, pixels: Pixels) -> Pixels:
    """Defocus or movement."""
    strength = min(pixels.shape[:2]) / 112.0
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.6) * strength), np.uint8)
    length = max(2, round(rng.uniform(2, 6) * strength))
    kernel = np.zeros((length, length), np.float32)
    cv2.line(kernel, (0, int(rng.integers(length))), (length - 1, int(rng.integers(length))), 1.0)
    return np.asarray(cv2.filter2D(pixels, -1, kernel / max(float(kernel.sum()), 1e-6)), np.uint8)


def coarse(rng: Rng, pixels: Pixels) -> Pixels:
    """A face that is further away than it looks: fewer pixels, scaled up again."""
    height, width = pixels.shape[:2]
    share = rng.uniform(0.35, 0.9)
    small = cv2.resize(
        pixels, (max(8, int(width * share)), max(8, int(height * share))), interpolation=cv2.INTER_AREA
    )
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def noise(rng: Rng, pixels: Pixels) -> Pixels:
    """A sensor in poor light."""
    shape = pixels.shape if rng.random() < 0.5 else (*pixels.shape[:2], 1)
    drawn = rng.standard_normal(shape, dtype=np.float32) * rng.uniform(2, 12)
    return _bytes((pixels.astype(np.float32) + drawn) / 255.0)


def codec(rng: Rng, pixels: Pixels) -> Pixels:
    """A camera that sends JPEG."""
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def grey(rng: Rng, pixels: Pixels) -> Pixels:
    """Little or no colour."""
    mono = pixels.mean(axis=2, keepdims=True)
    share = rng.uniform(0.0, 0.5)
    return _bytes((pixels * share + mono * (1 - share)) / 255.0)


_STEPS: tuple[tuple[float, Callable[[Rng, Pixels], Pixels]], ...] = (
    (0.6, light),
    (0.25, side_light),
    (0.08, grey),
    (0.25, blur),
    (0.2, coarse),
    (0.3, noise),
    (0.3, codec),
)


def degrade(rng: Rng, pixels: Pixels, strength: float = 1.0) -> Pixels:
    """Some of the above, in the order in which light reaches a file; `strength` scales how often."""
    for likelihood, step in _STEPS:
        if rng.random() < likelihood * strength:
            pixels = step(rng, pixels)
    return pixels


def _bytes(values: npt.NDArray[np.float32]) -> Pixels:
    return np.asarray(np.clip(values * 255.0, 0, 255), np.uint8)
