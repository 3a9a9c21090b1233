"""The detector of the pack that comes with facepay: three grids of cells, decoded here.

Each cell of 8, 16 or 32 pixels says how sure it is that a face's middle is in it, and where box and
five points lie, counted in cells from its own middle; widths and heights are logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from facepay.errors import ModelMismatch
from facepay.types import Detection, Pixels
from hardware.inference import InferenceSession

STRIDES = (8, 16, 32)
NUMBERS = 15
_COARSEST = STRIDES[-1]

Floats = npt.NDArray[np.float32]


class GridDetector:
    """Finds faces with five points in a picture scaled to at most `longest_side` pixels.

    Args:
        session: the network: `float32[1, 3, H, W]` RGB -1..1 to three maps `float32[1, 15, H/s, W/s]`.
        longest_side: pictures are scaled down to this, in pixels.
        score: least detection score 0..1.
        nms: overlap 0..1 above which two boxes are one face.

    Raises:
        ModelMismatch: the network answers other maps.
    """

    def __init__(self, session: InferenceSession, longest_side: int, score: float, nms: float) -> None:
        self._session = session
        self._input = session.input_names[0]
        self._longest_side = longest_side
        self._score = score
        self._nms = nms
        self._require_maps()

    def detect(self, pixels: Pixels) -> tuple[Detection, ...]:
        """Return every face in `uint8[H, W, 3]` BGR, largest first."""
        height, width = pixels.shape[:2]
        scale = min(1.0, self._longest_side / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR) if scale < 1 else pixels
        maps = self._session.run({self._input: _blob(np.asarray(small, np.uint8))})
        rows = without_overlaps(decode([one[0] for one in maps], self._score), self._nms)
        found = [_detection(row, scale) for row in rows]
        return tuple(sorted(found, key=lambda face: -face.height))

    def _require_maps(self) -> None:
        side = _COARSEST
        maps = self._session.run({self._input: np.zeros((1, 3, side, side), np.float32)})
        shapes = [one.shape for one in maps]
        wanted = [(1, NUMBERS, side // stride, side // stride) for stride in STRIDES]
        if shapes != wanted:
            raise ModelMismatch(f"the detector answers {shapes} where {wanted} belong")


def decode(maps: Sequence[Floats], score: float) -> Floats:
    """Rows `float32[N, 15]` of score 0..1, box x1, y1, x2, y2 and five points, in pixels of the input.

    Args:
        maps: for each grid `float32[15, h, w]`.
        score: least score that a row needs.
    """
    # The logarithm spares a sigmoid for every cell of the picture.
    least = np.log(score / (1 - score))
    rows = [_rows(made, stride, least) for made, stride in zip(maps, STRIDES, strict=True)]
    return np.concatenate(rows)


def without_overlaps(rows: Floats, most: float) -> Floats:
    """The best row of every face, best first: rows that overlap a better one by more than `most` go."""
    left = rows[np.argsort(-rows[:, 0], kind="stable")]
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        left = left[_overlaps(best[1:5], left[:, 1:5]) <= most]
    return np.array(kept, np.float32).reshape(-1, NUMBERS)


def _rows(made: Floats, stride: int, least: float) -> Floats:
    y, x = np.nonzero(made[0] >= least)
    cells = made[:, y, x]
    middle = np.stack([x, y]) + 0.5
    centre = (cells[1:3] + middle) * stride
    half = np.exp(np.clip(cells[3:5], -4.0, 6.0)) * stride / 2
    points = (cells[5:].reshape(5, 2, -1) + middle) * stride
    share = 1 / (1 + np.exp(-cells[:1]))
    rows = np.concatenate([share, centre - half, centre + half, points.reshape(10, -1)])
    return np.asarray(rows.T, np.float32)


def _overlaps(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of one box with many."""
    inner = np.clip(np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2]), 0, None).prod(
        axis=1
    )
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.asarray(inner / np.maximum(areas + (box[2:] - box[:2]).prod() - inner, 1e-6), np.float32)


def _blob(pixels: Pixels) -> Floats:
    """`uint8[H, W, 3]` BGR as `float32[1, 3, H', W']` RGB -1..1, padded to whole cells at right and below."""
    height, width = pixels.shape[:2]
    padded = cv2.copyMakeBorder(
        pixels, 0, -height % _COARSEST, 0, -width % _COARSEST, cv2.BORDER_CONSTANT, value=(0, 0, 0)
    )
    made = cv2.dnn.blobFromImage(padded, 1 / 127.5, mean=(127.5,) * 3, swapRB=True)
    return np.asarray(made, np.float32)


def _detection(row: Floats, scale: float) -> Detection:
    x1, y1, x2, y2 = (float(value) / scale for value in row[1:5])
    return Detection((x1, y1, x2, y2), row[5:].reshape(5, 2) / scale, float(row[0]))
