"""478 landmarks and 52 expression coefficients of one face, with the head's direction.

Runs the two networks of MediaPipe's face landmarker (Apache-2.0), or one that answers for both; they
are passed in as sessions. The first takes `float32[1, 256, 256, 3]` RGB 0..1 of a square crop, 1.5
times the face box, eyes level; the second takes `float32[1, 146, 2]` landmark positions in pixels.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from liveness.base import Array, Inference
from liveness.errors import ModelUnusable
from liveness.types import Box, Floats, Mesh, Pixels, Pose

CROP_SIZE = 256
CROP_SCALE = 1.5
MIN_PRESENCE = 0.5

# The landmarks that the coefficient network reads, in the order that
# mediapipe/tasks/cc/vision/face_landmarker/face_blendshapes_graph.cc fixes (release 0.10).
# fmt: off
SUBSET = np.array([
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67,
    70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148,
    149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191,
    195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297,
    300, 308, 310, 311, 312, 314, 317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374,
    375, 377, 378, 379, 380, 381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415,
    454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
])
# fmt: on

BROW_INNER_UP = 3
EYE_BLINK_LEFT, EYE_BLINK_RIGHT = 9, 10
JAW_OPEN = 25
SMILE_LEFT, SMILE_RIGHT = 44, 45

# Pairs on the two sides of the face (image left first) that keep still in speech and smiling.
_SIDES = np.array([(33, 263), (133, 362), (127, 356), (234, 454), (162, 389)])
_UP_DOWN = np.array([(10, 152), (151, 199), (9, 175)])


class FivePoints(NamedTuple):
    """Landmark numbers that stand for the detector's five points, image left first."""

    left_eye: tuple[int, int] = (33, 133)
    right_eye: tuple[int, int] = (362, 263)
    nose: int = 4
    left_mouth: int = 61
    right_mouth: int = 291


_FIVE = FivePoints()


class FaceMesh:
    """Finds the landmarks of a face whose box and eyes are roughly known.

    Args:
        landmarks: network with outputs 478x3, a presence logit, and possibly more.
        blendshapes: network with one output of 52 coefficients, or None where they are the third
            output of `landmarks`.
    """

    def __init__(
        self,
        landmarks: Inference,
        blendshapes: Inference | None,
        *,
        input_names: tuple[str, str] = ("input", "input"),
    ) -> None:
        self._landmarks = landmarks
        self._blendshapes = blendshapes
        self._names = input_names

    def find(self, pixels: Pixels, box: Box, points: Floats) -> Mesh | None:
        """Landmarks in frame pixels, or None where the network sees no face there.

        Raises:
            ModelUnusable: a network failed or answered in another shape.
        """
        to_crop = crop_transform(box, points)
        crop = cv2.warpAffine(pixels, to_crop, (CROP_SIZE, CROP_SIZE), flags=cv2.INTER_LINEAR)
        rgb = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB)[None]
        tensor = np.divide(rgb, np.float32(255.0), dtype=np.float32)
        outputs = _run(self._landmarks, self._names[0], tensor)
        raw, presence = _landmarks_of(outputs)
        if not np.isfinite(raw).all() or not presence >= MIN_PRESENCE:
            return None
        mesh = _to_frame(raw, to_crop)
        coefficients = self._coefficients(outputs, mesh)
        if coefficients.shape != (52,) or not np.isfinite(coefficients).all():
            return None
        return Mesh(
            points=mesh,
            presence=presence,
            blendshapes=coefficients.astype(np.float32),
            pose=pose_of(mesh),
        )

    def _coefficients(self, outputs: list[Array], mesh: Floats) -> Floats:
        if self._blendshapes is not None:
            return np.asarray(_run(self._blendshapes, self._names[1], mesh[None, SUBSET, :2])[0]).reshape(-1)
        if len(outputs) < 3:
            raise ModelUnusable("the landmark network answers no expression coefficients")
        return np.asarray(outputs[2]).reshape(-1)


def five_points(mesh: Mesh) -> Floats:
    """The detector's five points, `float32[5, 2]`, taken from the landmarks."""
    xy = mesh.points[:, :2]
    return np.stack(
        [
            xy[list(_FIVE.left_eye)].mean(axis=0),
            xy[list(_FIVE.right_eye)].mean(axis=0),
            xy[_FIVE.nose],
            xy[_FIVE.left_mouth],
            xy[_FIVE.right_mouth],
        ]
    ).astype(np.float32)


def box_of(mesh: Mesh) -> Box:
    """Box around the landmarks, x1, y1, x2, y2 in frame pixels."""
    low, high = mesh.points[:, :2].min(axis=0), mesh.points[:, :2].max(axis=0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def pose_of(points: Floats) -> Pose:
    """Direction of the head from landmarks `float32[478, 3]`, in degrees."""
    across = (points[_SIDES[:, 1]] - points[_SIDES[:, 0]]).sum(axis=0)
    down = (points[_UP_DOWN[:, 1]] - points[_UP_DOWN[:, 0]]).sum(axis=0)
    return Pose(
        yaw=math.degrees(math.atan2(float(across[2]), math.hypot(float(across[0]), float(across[1])))),
        pitch=math.degrees(math.atan2(float(down[2]), math.hypot(float(down[0]), float(down[1])))),
        roll=math.degrees(math.atan2(float(across[1]), float(across[0]))),
    )


def crop_transform(box: Box, points: Floats) -> Floats:
    """Affine `float32[2, 3]` from the frame to the network's crop: square, eyes level."""
    eyes = points[1] - points[0]
    angle = math.atan2(float(eyes[1]), float(eyes[0]))
    side = CROP_SCALE * max(box[2] - box[0], box[3] - box[1], 1.0)
    scale = CROP_SIZE / side
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half = CROP_SIZE / 2
    return np.array(
        [[cos, sin, half - cos * x - sin * y], [-sin, cos, half + sin * x - cos * y]], dtype=np.float32
    )


def _to_frame(raw: Floats, to_crop: Floats) -> Floats:
    """Landmarks of the crop brought back into the frame; depth keeps the frame's scale."""
    back = cv2.invertAffineTransform(to_crop)
    xy = raw[:, :2] @ back[:, :2].T + back[:, 2]
    scale = math.hypot(float(back[0, 0]), float(back[1, 0]))
    return np.column_stack([xy, raw[:, 2] * scale]).astype(np.float32)


def _landmarks_of(outputs: list[Array]) -> tuple[Floats, float]:
    if len(outputs) < 2 or outputs[0].size != 478 * 3:
        raise ModelUnusable("the landmark network does not answer 478 points and a presence logit")
    logit = float(np.asarray(outputs[1]).reshape(-1)[0])
    presence = 1.0 / (1.0 + math.exp(-min(max(logit, -50.0), 50.0))) if math.isfinite(logit) else 0.0
    return np.asarray(outputs[0], dtype=np.float32).reshape(478, 3), presence


def _run(network: Inference, name: str, tensor: Array) -> list[Array]:
    try:
        return network.run({name: np.ascontiguousarray(tensor, dtype=np.float32)})
    except Exception as error:  # The session is foreign code; above this seam only our family exists.
        raise ModelUnusable(f"a face landmark network failed: {type(error).__name__}") from error
