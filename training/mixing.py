"""New people out of those at hand: two aligned faces blended, or parts of one set into the other, and bent.

Nearly every picture that comes out is of a person who does not exist; then it is degraded as a shop's camera
would do it.
"""

from __future__ import annotations

import cv2
import numpy as np
from tqdm import tqdm

from facepay.recognition.alignment import align
from training.degrade import Pixels, Rng, degrade
from training.faces import Seen, read

SIDE = 112


def aligned(seen: Seen, pixels: Pixels, rng: Rng | None = None) -> Pixels:
    """The face in the middle as recognisers want it; with `rng`, the five points are a little off."""
    points = seen.faces[0].points.copy()
    if rng is not None:
        eyes = float(np.linalg.norm(points[1] - points[0]))
        points += rng.normal(0, 0.025 * eyes, points.shape).astype(np.float32)
        points += rng.normal(0, 0.03 * eyes, (1, 2)).astype(np.float32)
    return align(pixels, points)


class People:
    """Faces to mix new people out of."""

    def __init__(self, seen: list[Seen]) -> None:
        self._seen = seen
        self._pixels = [read(one.photo.path) for one in tqdm(seen, desc="photos")]

    def draw(self, rng: Rng) -> Pixels:
        """One face of somebody who mostly does not exist, `uint8[112, 112, 3]` BGR."""
        face = self._one(rng)
        choice = rng.random()
        if choice < 0.3:
            share = rng.uniform(0.25, 0.75)
            face = np.asarray(cv2.addWeighted(face, share, self._one(rng), 1 - share, 0), np.uint8)
        elif choice < 0.65:
            face = _set_in(rng, face, self._one(rng))
        if rng.random() < 0.5:
            face = _bend(rng, face)
        return degrade(rng, face, 0.8)

    def _one(self, rng: Rng) -> Pixels:
        index = int(rng.integers(len(self._seen)))
        face = aligned(self._seen[index], self._pixels[index], rng)
        return np.ascontiguousarray(face[:, ::-1]) if rng.random() < 0.5 else face


def _set_in(rng: Rng, face: Pixels, other: Pixels) -> Pixels:
    """Parts of one face in the other, with soft edges."""
    mask = cv2.resize(
        rng.random((int(rng.integers(2, 5)), int(rng.integers(2, 4)))).astype(np.float32),
        (SIDE, SIDE),
        interpolation=cv2.INTER_CUBIC,
    )
    mask = np.clip((mask - 0.5) * 4 + 0.5, 0, 1)[..., None]
    return np.asarray(face * mask + other * (1 - mask), np.uint8)


def _bend(rng: Rng, face: Pixels) -> Pixels:
    """Other proportions, by a smooth random field."""
    coarse = rng.normal(0, rng.uniform(0.5, 3.0), (5, 5, 2)).astype(np.float32)
    field = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    return np.asarray(
        cv2.remap(
            face, x + field[..., 0], y + field[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        ),
        np.uint8,
    )
