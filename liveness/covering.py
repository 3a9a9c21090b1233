"""Whether something is before mouth or eyes: the occlusion component of ISO/IEC 29794-5.

The face is laid onto fixed places by its five points, which every detector gives, so that it works with any
pack; landmark networks put a mouth on any mask. In cells of eight pixels it is described by the directions of
its edges, and by how its light and tint differ from those of the same face's forehead and cheeks: nothing
in it says how light or dark a skin is. A small perceptron says how likely mouth and eyes are hidden.

Its weights were taught by `training/covering.py` on photos of half of the people of Labeled Faces in the
Wild, bare and with covers painted on (`liveness.simulation.covers`). No photo of a worn mask was used, so all
of those say how well it does; see `docs/liveness-figures.md`.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from importlib import resources
from zipfile import BadZipFile

import cv2
import numpy as np
import numpy.typing as npt

from liveness.errors import CalibrationInvalid
from liveness.types import Floats, Pixels

SIDE = 112
"""Side of the face that is looked at, in pixels; the eyes are then 35 apart."""
CELL = 8
DIRECTIONS = 8
_CELLS = SIDE // CELL
# Where eyes, nose and mouth corners are laid, in pixels: ArcFace's places, 14 higher, so that the chin is in.
_PLACES = np.array([[38.3, 37.7], [73.5, 37.5], [56.0, 57.7], [41.5, 78.4], [70.7, 78.2]], np.float32)
# Cells of forehead and upper cheeks, which say what this face's skin looks like in this light: rows, columns.
_SKIN = ((slice(1, 3), slice(4, 10)), (slice(6, 8), slice(2, 5)), (slice(6, 8), slice(9, 12)))

Network = tuple[npt.NDArray[np.float32], ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """How likely each part is hidden, 0..1."""

    mouth: float
    eyes: float


class CoverJudge:
    """Looks for covers on faces.

    Args:
        weights: content of an `.npz` file; without, the one that ships.

    Raises:
        CalibrationInvalid: it holds no such network.
    """

    def __init__(self, weights: bytes | None = None) -> None:
        content = weights if weights is not None else _shipped()
        self.digest = hashlib.sha256(content).hexdigest()
        self._network = _load(content)

    def judge(self, pixels: Pixels, points: Floats) -> Covered | None:
        """How likely mouth and eyes are hidden; None where the points make no face.

        Args:
            pixels: `uint8[H, W, 3]` BGR.
            points: `float32[5, 2]`.
        """
        face = laid(pixels, points)
        if face is None:
            return None
        first, shift, second, rest = self._network
        hidden = np.maximum(describe(face) @ first + shift, 0.0)
        logits = np.clip(hidden @ second + rest, -30.0, 30.0)
        mouth, eyes = 1.0 / (1.0 + np.exp(-logits))
        return Covered(float(mouth), float(eyes))


def laid(pixels: Pixels, points: Floats) -> Pixels | None:
    """The face on its fixed places, `uint8[112, 112, 3]`; None where the points make no face."""
    to_face = _similarity(points)
    if to_face is None:
        return None
    part, corner = _around(pixels, to_face)
    shrink = max(1, int(1.0 / float(np.hypot(to_face[0, 0], to_face[1, 0]))))
    height, width = part.shape[0] // shrink, part.shape[1] // shrink
    if min(height, width) < 1:
        return None
    if shrink > 1:
        # A face that is much larger is shrunk first; skipping pixels instead would look like texture.
        whole = part[: height * shrink, : width * shrink]
        part = np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    linear = to_face[:, :2]
    moved = to_face[:, 2] + linear @ (corner + (shrink - 1) / 2)
    to_face = np.column_stack([linear * shrink, moved]).astype(np.float32)
    face = cv2.warpAffine(part, to_face, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(face, dtype=np.uint8)


def _around(pixels: Pixels, to_face: Floats) -> tuple[Pixels, Floats]:
    """The part of the frame that the face is laid from, empty where outside, and its upper left corner."""
    back = cv2.invertAffineTransform(to_face)
    corners = np.array([[0, 0], [SIDE, 0], [0, SIDE], [SIDE, SIDE]]) @ back[:, :2].T + back[:, 2]
    ends = np.clip([corners.min(axis=0) - 2, corners.max(axis=0) + 3], 0, pixels.shape[1::-1]).astype(int)
    (left, top), (right, bottom) = ends
    return pixels[top:bottom, left:right], np.array([left, top], dtype=np.float32)


def describe(face: Pixels) -> Floats:
    """What the network reads of a laid face, `float32[2940]`.

    For each of 14 x 14 cells 8 directions of edges, their strength, light and tint beside the skin's, and the
    spread of all three.
    """
    lab = cv2.cvtColor(face.astype(np.float32) / 255.0, cv2.COLOR_BGR2LAB)
    light = np.asarray(cv2.GaussianBlur(lab[:, :, 0], (0, 0), 1.0), dtype=np.float32)
    directions, strength = _edges(light)
    means = cv2.resize(lab, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    squares = cv2.resize(lab * lab, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    spread = np.sqrt(np.maximum(squares - means * means, 0.0))
    skin = np.median(np.concatenate([means[part].reshape(-1, 3) for part in _SKIN]), axis=0)
    differs = np.tanh((means - skin) / np.array([25.0, 10.0, 10.0]))
    parts = (directions, strength, differs, np.minimum(spread / 10.0, 3.0))
    return np.concatenate([part.reshape(-1) for part in parts]).astype(np.float32)


def _similarity(points: Floats) -> Floats | None:
    """Least-squares similarity `float32[2, 3]` from the frame to the fixed places (Umeyama 1991)."""
    if not np.isfinite(points).all():
        return None
    a, b = points - points.mean(axis=0), _PLACES - _PLACES.mean(axis=0)
    size = float((a**2).sum())
    cos, sin = float((a * b).sum()), float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum())
    if size < 1.0 or not np.hypot(cos, sin) > 1e-3 * size:
        return None
    rotation = np.array([[cos, -sin], [sin, cos]]) / size
    return np.column_stack([rotation, _PLACES.mean(axis=0) - rotation @ points.mean(axis=0)]).astype(
        np.float32
    )


def _edges(light: Floats) -> tuple[Floats, Floats]:
    """Directions of the edges in each cell beside their neighbours', and their strength beside the face's."""
    across, down = cv2.Sobel(light, cv2.CV_32F, 1, 0, ksize=1), cv2.Sobel(light, cv2.CV_32F, 0, 1, ksize=1)
    size = np.hypot(across, down)
    turn = np.mod(np.arctan2(down, across), np.pi) / np.pi * DIRECTIONS
    low = np.floor(turn)
    share, first = turn - low, low.astype(np.intp) % DIRECTIONS
    row, column = np.indices(light.shape) // CELL
    place = (row * _CELLS + column) * DIRECTIONS
    count = _CELLS * _CELLS * DIRECTIONS
    sums = np.bincount((place + first).ravel(), (size * (1 - share)).ravel(), count)
    sums += np.bincount((place + (first + 1) % DIRECTIONS).ravel(), (size * share).ravel(), count)
    cells = sums.reshape(_CELLS, _CELLS, DIRECTIONS).astype(np.float32)
    energy = cells.sum(axis=2)
    around = cv2.blur(energy, (3, 3)) + 0.1 * energy.mean() + 1e-3
    strength = np.log(energy + 1.0) - np.log(energy.mean() + 1.0)
    return np.sqrt(cells / around[:, :, None]), np.asarray(strength, dtype=np.float32)


def _load(content: bytes) -> Network:
    """Weights and shifts of the two layers."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            network = tuple(file[name].astype(np.float32) for name in ("first", "shift", "second", "rest"))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise CalibrationInvalid(f"the network for covered faces cannot be read: {error}") from error
    first, shift, second, rest = network
    inputs = _CELLS * _CELLS * (DIRECTIONS + 1 + 3 + 3)
    hidden = shift.shape[0] if shift.ndim == 1 else -1
    shapes = (first.shape, second.shape, rest.shape)
    if shapes != ((inputs, hidden), (hidden, 2), (2,)) or not all(np.isfinite(w).all() for w in network):
        raise CalibrationInvalid("the network for covered faces has other shapes than this program reads")
    return network


def _shipped() -> bytes:
    return resources.files("liveness").joinpath("covering.npz").read_bytes()
