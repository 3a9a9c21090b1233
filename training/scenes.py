"""Pictures of a checkout, put together: one or several faces at a known place and size.

A photo is turned, scaled and set onto a background, so that a face is 12 to 95 % of the frame's height.
What the teacher found on the photo is carried along; faces of which it is not sure are left out of
the loss. The backgrounds are corners of other photos, where hardly ever a face is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from training.degrade import Pixels, Rng, degrade
from training.faces import Face, Seen, read

SHAPES = ((192, 320), (224, 320), (256, 256), (320, 192), (320, 320))
SURE = 0.7
_CORNER = 56

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scene:
    """`pixels` uint8[H, W, 3] BGR, boxes `float32[N, 4]`, points `float32[N, 5, 2]`; `unsure` boxes."""

    pixels: Pixels
    boxes: Floats
    points: Floats
    unsure: Floats


class Checkout:
    """Draws scenes from photos in memory."""

    def __init__(self, seen: list[Seen]) -> None:
        self._seen = seen
        self._pixels = [read(one.photo.path) for one in tqdm(seen, desc="photos", mininterval=10)]

    def draw(self, rng: Rng, shape: tuple[int, int]) -> Scene:
        """One scene of `shape` height and width."""
        canvas = self._background(rng, shape)
        slots = 1 if rng.random() < 0.7 else int(rng.integers(2, 4))
        boxes: list[tuple[Floats, Floats]] = []
        unsure: list[tuple[Floats, Floats]] = []
        for slot in range(slots):
            canvas, faces, region = self._place(rng, canvas, slot, slots)
            unsure += [pair for pair in boxes if _covered(pair[0], region)]
            boxes = [pair for pair in boxes if not _covered(pair[0], region)]
            for face in faces:
                sure = face.score >= SURE and _inside(face.box, shape)
                (boxes if sure else unsure).append((face.box, face.points))
        mirror = rng.random() < 0.5
        scene = Scene(
            degrade(rng, canvas),
            np.array([pair[0] for pair in boxes], np.float32).reshape(-1, 4),
            np.array([pair[1] for pair in boxes], np.float32).reshape(-1, 5, 2),
            np.array([pair[0] for pair in unsure], np.float32).reshape(-1, 4),
        )
        return _mirrored(scene) if mirror else scene

    def _background(self, rng: Rng, shape: tuple[int, int]) -> Pixels:
        pixels = self._pixels[int(rng.integers(len(self._pixels)))]
        top = 0 if rng.random() < 0.5 else pixels.shape[0] - _CORNER
        left = 0 if rng.random() < 0.5 else pixels.shape[1] - _CORNER
        patch = pixels[top : top + _CORNER, left : left + _CORNER]
        return np.asarray(cv2.resize(patch, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.uint8)

    def _place(self, rng: Rng, canvas: Pixels, slot: int, slots: int) -> tuple[Pixels, list[Face], Floats]:
        height, width = canvas.shape[:2]
        index = int(rng.integers(len(self._seen)))
        pixels, seen = self._pixels[index], self._seen[index]
        face = seen.faces[0]
        size = float(face.box[3] - face.box[1])
        if slots == 1:
            wanted = height * np.exp(rng.uniform(np.log(0.07), np.log(0.95)))
            x = width * rng.uniform(0.2, 0.8)
        else:
            wanted = min(height * rng.uniform(0.07, 0.5), width / slots * 0.9)
            x = width * (slot + rng.uniform(0.35, 0.65)) / slots
        y = height * 0.5 + (height - min(wanted, height)) * rng.uniform(-0.45, 0.45)
        scale = wanted / max(size, 1.0)
        middle = (face.box[:2] + face.box[2:]) / 2
        turn = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), rng.normal(0, 12), scale)
        turn[:, 2] += (x - middle[0], y - middle[1])
        interpolation = cv2.INTER_AREA if scale < 0.6 else cv2.INTER_LINEAR
        moved = cv2.warpAffine(pixels, turn, (width, height), flags=interpolation)
        mask = cv2.warpAffine(np.full(pixels.shape[:2], 255, np.uint8), turn, (width, height))
        # The photo's edge is blended, so that a frame around the face is no sign of one.
        soft = cv2.blur(cv2.erode(mask, np.ones((5, 5), np.uint8)), (5, 5))
        joined = cv2.blendLinear(moved, canvas, soft / np.float32(255), 1 - soft / np.float32(255))
        return np.asarray(joined, np.uint8), [_moved(one, turn) for one in seen.faces], _bounds(mask)


def _moved(face: Face, turn: npt.NDArray[np.float64]) -> Face:
    """A face carried along; its box keeps its proportions and turns only with its middle."""
    points = face.points @ turn[:, :2].T + turn[:, 2]
    scale = float(np.hypot(turn[0, 0], turn[0, 1]))
    middle = turn[:, :2] @ ((face.box[:2] + face.box[2:]) / 2) + turn[:, 2]
    half = (face.box[2:] - face.box[:2]) / 2 * scale
    return Face(
        np.concatenate([middle - half, middle + half]).astype(np.float32),
        points.astype(np.float32),
        face.score,
    )


def _bounds(mask: Pixels) -> Floats:
    x, y, width, height = cv2.boundingRect(mask)
    return np.array([x, y, x + width, y + height], np.float32)


def _covered(box: Floats, region: Floats) -> bool:
    overlap = np.minimum(box[2:], region[2:]) - np.maximum(box[:2], region[:2])
    return bool((overlap > 0).all())


def _inside(box: Floats, shape: tuple[int, int]) -> bool:
    """Whether most of a face is in the frame."""
    height, width = shape
    seen = np.minimum(box[2:], (width, height)) - np.maximum(box[:2], 0)
    whole = box[2:] - box[:2]
    return bool((seen > 0).all() and seen.prod() > 0.7 * whole.prod() and whole.min() > 6)


def _mirrored(scene: Scene) -> Scene:
    width = scene.pixels.shape[1]

    def flip(boxes: Floats) -> Floats:
        return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)

    points = scene.points[:, [1, 0, 2, 4, 3]] * np.array([-1, 1], np.float32) + np.array(
        [width, 0], np.float32
    )
    return Scene(np.ascontiguousarray(scene.pixels[:, ::-1]), flip(scene.boxes), points, flip(scene.unsure))
