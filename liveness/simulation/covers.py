"""Faces with something before mouth or eyes: masks, scarves, hands, sheets, dark glasses, painted on photos.

They are what `liveness.covering` was taught with, and what a red-team day can start from. A painted cover
lies on the face as its landmarks do; light falls on it from one side, and it has folds or a pattern.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import cv2
import numpy as np
import numpy.typing as npt

from liveness.types import Floats, Pixels

Random = np.random.Generator
_Alpha = npt.NDArray[np.float32]


class Cover(Enum):
    """What is before the face. The first five hide mouth and chin, the others the eyes."""

    MASK = "mask"
    MASK_UNDER_NOSE = "mask_under_nose"
    SCARF = "scarf"
    HAND = "hand"
    SHEET = "sheet"
    DARK_GLASSES = "dark_glasses"
    VISOR = "visor"

    @property
    def hides_eyes(self) -> bool:
        """Whether the eyes are hidden, and not mouth and chin."""
        return self in {Cover.DARK_GLASSES, Cover.VISOR}


# Landmarks of the outline from the image's left temple over the chin to the right one, and upper edges.
_LEFT, _RIGHT = (234, 93, 132, 58), (454, 323, 361, 288)
_JAW = (172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397)
_BRIDGE = (6, 197, 195, 5)
_UNDER_NOSE = (2, 164)
_EYES = ((33, 133, 159, 145), (263, 362, 386, 374))


def covered(photo: Pixels, landmarks: Floats, cover: Cover, *, seed: int) -> Pixels:
    """The photo with a cover of this kind painted on.

    Args:
        photo: `uint8[H, W, 3]` BGR.
        landmarks: `float32[478, 2]` or more columns, in pixels.
        cover: its kind; colour, place and pattern follow from the seed.
        seed: makes it repeatable.
    """
    random = np.random.default_rng(seed)
    xy = landmarks[:, :2].astype(np.float32)
    alpha = _SHAPES[cover](photo.shape[:2], xy, random)
    soft = np.asarray(cv2.GaussianBlur(alpha, (0, 0), random.uniform(0.5, 1.5)), dtype=np.float32)
    if cover.hides_eyes:
        soft = soft * np.float32(random.uniform(0.8, 1.0))
    cloth = _cloth(photo, xy, cover, random)
    mixed = photo * (1 - soft[:, :, None]) + cloth * soft[:, :, None]
    return np.asarray(np.clip(mixed, 0, 255), dtype=np.uint8)


def _mask(shape: tuple[int, ...], xy: Floats, random: Random) -> _Alpha:
    return _worn(shape, xy, xy[random.choice(_BRIDGE)], random)


def _mask_under_nose(shape: tuple[int, ...], xy: Floats, random: Random) -> _Alpha:
    return _worn(shape, xy, xy[random.choice(_UNDER_NOSE)], random)


def _worn(shape: tuple[int, ...], xy: Floats, top: Floats, random: Random) -> _Alpha:
    """From the bridge of the nose, or below it, over the sides to under the chin."""
    side = int(random.integers(0, 4))
    height = float(np.hypot(*(xy[152] - xy[6])))
    down = (xy[152] - xy[6]) / max(height, 1.0)
    jaw = xy[list(_JAW)] + down * height * random.uniform(-0.02, 0.2)
    left, right = xy[_LEFT[side]], xy[_RIGHT[side]]
    bulge = random.uniform(0.0, 0.6)
    corners = [left, *jaw, right]
    edge = [right * (1 - t) + top * t + down * height * 0.1 * bulge * np.sin(np.pi * t) for t in (0.25, 0.6)]
    back = [left * (1 - t) + top * t + down * height * 0.1 * bulge * np.sin(np.pi * t) for t in (0.6, 0.25)]
    return _filled(shape, np.stack([*corners, *edge, top, *back]))


def _scarf(shape: tuple[int, ...], xy: Floats, random: Random) -> _Alpha:
    """Everything below a wavy line across the face."""
    level = xy[random.choice([5, 4, 2, 164, 0])]
    across = xy[454] - xy[234]
    down = (xy[152] - xy[6]) * 3
    points = [
        level + t * across + random.uniform(-0.05, 0.05) * (xy[152] - xy[6]) for t in np.linspace(-2, 2, 9)
    ]
    return _filled(shape, np.stack([*points, points[-1] + down, points[0] + down]))


def _hand(shape: tuple[int, ...], xy: Floats, random: Random) -> _Alpha:
    """Two to four fingers side by side across the mouth."""
    alpha = np.zeros(shape, np.float32)
    mouth = (xy[13] + xy[14]) / 2
    width = float(np.hypot(*(xy[454] - xy[234])))
    angle = random.uniform(-0.9, 0.9)
    along = np.array([np.cos(angle), np.sin(angle)]) * width * random.uniform(0.4, 0.9)
    thick = width * random.uniform(0.12, 0.18)
    count = int(random.integers(3, 6))
    aside = np.array([-np.sin(angle), np.cos(angle)]) * thick
    for i in range(count):
        middle = mouth + aside * (i - (count - 1) / 2) + random.normal(0, 0.02, 2) * width
        a, b = (middle - along).round().astype(int), (middle + along).round().astype(int)
        cv2.line(alpha, tuple(map(int, a)), tuple(map(int, b)), 1.0, max(1, round(thick)))
    return alpha


def _sheet(shape: tuple[int, ...], xy: Floats, random: Random) -> _Alpha:
    """A phone, a cup, a leaflet before the mouth."""
    mouth = (xy[13] + xy[14]) / 2 + random.normal(0, 0.03, 2) * np.hypot(*(xy[454] - xy[234]))
    width = float(np.hypot(*(xy[454] - xy[234])))
    size = (width * random.uniform(0.55, 1.2), width * random.uniform(0.4, 1.2))
    box = cv2.boxPoints((tuple(map(float, mouth)), size, float(random.uniform(-40, 40))))
    return _filled(shape, box)


def _dark_glasses(shape: tuple[int, ...], xy: Floats, random: Random) -> _Alpha:
    alpha = np.zeros(shape, np.float32)
    iod = float(np.hypot(*(xy[33] - xy[263])))
    angle = float(np.degrees(np.arctan2(*(xy[263] - xy[33])[::-1])))
    size = (iod * random.uniform(0.48, 0.72), iod * random.uniform(0.32, 0.6))
    round_ones, lower = random.random() < 0.6, iod * random.uniform(0.0, 0.1)
    for eye in _EYES:
        middle = xy[list(eye)].mean(axis=0) + np.array([0, lower])
        box = (tuple(map(float, middle)), size, angle)
        if round_ones:
            cv2.ellipse(alpha, box, 1.0, -1)
        else:
            alpha = np.maximum(alpha, _filled(shape, cv2.boxPoints(box)))
    left, right = (tuple(map(int, xy[i])) for i in (133, 362))
    cv2.line(alpha, left, right, 1.0, max(1, round(0.05 * iod)))
    return alpha


def _visor(shape: tuple[int, ...], xy: Floats, random: Random) -> _Alpha:
    """One band across both eyes."""
    middle = xy[[33, 263]].mean(axis=0)
    iod = float(np.hypot(*(xy[33] - xy[263])))
    angle = float(np.degrees(np.arctan2(*(xy[263] - xy[33])[::-1])))
    size = (iod * random.uniform(1.3, 2.2), iod * random.uniform(0.35, 0.7))
    return _filled(shape, cv2.boxPoints((tuple(map(float, middle)), size, angle)))


_SHAPES: dict[Cover, Callable[[tuple[int, ...], Floats, Random], _Alpha]] = {
    Cover.MASK: _mask,
    Cover.MASK_UNDER_NOSE: _mask_under_nose,
    Cover.SCARF: _scarf,
    Cover.HAND: _hand,
    Cover.SHEET: _sheet,
    Cover.DARK_GLASSES: _dark_glasses,
    Cover.VISOR: _visor,
}


def _filled(shape: tuple[int, ...], corners: npt.ArrayLike) -> _Alpha:
    alpha = np.zeros(shape, np.float32)
    cv2.fillPoly(alpha, [np.asarray(corners).round().astype(np.int32)], 1.0)
    return alpha


def _cloth(photo: Pixels, xy: Floats, cover: Cover, random: Random) -> Floats:
    """What the cover shows: a colour under the light of the place, with folds, a pattern, or skin."""
    height, width = photo.shape[:2]
    colour = _colour(photo, xy, cover, random)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    middle, size = xy[1], float(np.hypot(*(xy[454] - xy[234])))
    across, down = (x - middle[0]) / size, (y - middle[1]) / size
    light = (
        1.0
        + random.normal(0, 0.25) * across
        + random.normal(0, 0.15) * down
        - random.uniform(0, 0.9) * across**2
    )
    if cover is not Cover.HAND and random.random() < 0.5:
        folds, phase = random.uniform(12, 40), random.uniform(0, 6)
        light += random.uniform(0.02, 0.12) * np.sin(
            folds * (down + random.uniform(-0.3, 0.3) * across) + phase
        )
    coarse = random.normal(0, random.uniform(0.0, 0.12), (8, 8)).astype(np.float32)
    light += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    cloth = colour[None, None, :] * np.clip(light, 0.1, 1.8)[:, :, None]
    if cover is not Cover.HAND and random.random() < 0.35:
        cloth = cloth + _pattern(photo, random)
    return np.asarray(cloth + random.normal(0, random.uniform(0, 4), cloth.shape), dtype=np.float32)


def _colour(photo: Pixels, xy: Floats, cover: Cover, random: Random) -> Floats:
    """BGR. Hands are skin; glasses are mostly dark; cloth is anything, often white, blue or black."""
    cheeks = [
        photo[int(np.clip(b, 0, photo.shape[0] - 1)), int(np.clip(a, 0, photo.shape[1] - 1))]
        for a, b in xy[[50, 280]]
    ]
    skin = np.mean(cheeks, axis=0)
    if cover is Cover.HAND:
        return np.asarray(skin * random.uniform(0.75, 1.15) + random.normal(0, 5, 3), dtype=np.float32)
    if cover.hides_eyes and random.random() < 0.8:
        return np.asarray(random.uniform(5, 60) + random.normal(0, 8, 3), dtype=np.float32)
    bright = float(np.clip(skin.mean() * random.uniform(0.9, 1.7), 60, 250))
    choices = (
        np.full(3, bright) + random.normal(0, 6, 3),
        np.array([bright, bright * 0.85, bright * random.uniform(0.4, 0.75)]),
        np.full(3, random.uniform(8, 60)) + random.normal(0, 6, 3),
        np.array([bright * 0.75, bright, bright * random.uniform(0.4, 0.75)]),
        random.uniform(20, 240, 3),
        skin * random.uniform(0.8, 1.2) + random.normal(0, 12, 3),
    )
    return np.asarray(choices[random.choice(6, p=(0.25, 0.2, 0.2, 0.05, 0.2, 0.1))], dtype=np.float32)


def _pattern(photo: Pixels, random: Random) -> Floats:
    """A cut from elsewhere in the photo as print, or stripes; around 0."""
    height, width = photo.shape[:2]
    if random.random() < 0.5:
        y, x = int(random.integers(0, height // 2)), int(random.integers(0, width // 2))
        part = cv2.resize(photo[y : y + height // 3, x : x + width // 3], (width, height)).astype(np.float32)
        return np.asarray((part - part.mean()) * random.uniform(0.2, 0.9), dtype=np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, step = random.uniform(0, np.pi), random.uniform(0.1, 0.8)
    stripes = np.sign(np.sin(step * (x * np.cos(angle) + y * np.sin(angle))))
    return np.asarray(stripes[:, :, None] * random.normal(0, 25, 3), dtype=np.float32)
