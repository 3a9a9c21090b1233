"""Landmarks and expression: one small network in place of the teacher's two.

It sees the same crop as the teacher (1.5 times the face's box, eyes level, 256 pixels) at half the
resolution, and answers 478 points, whether there is a face, and 52 expression coefficients, all learnt
from MediaPipe's face landmarker and blendshape networks. Blinks are rare on photos, so some pictures
get their eyes closed (`training.lids`); the teacher then says what it sees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from tqdm import tqdm

from hardware.inference import load_session
from liveness.landmarks import CROP_SIZE, SUBSET, crop_transform, pose_of
from training.degrade import Pixels, Rng, degrade
from training.export import Shape
from training.faces import read, seen_faces, teacher_detector
from training.lids import close_eyes
from training.nets import conv, stage
from training.pool import Pool, Rows, fill
from training.recordings import frames, recordings

LANDMARKS, BLENDSHAPES = "mp_face_landmarks_478.onnx", "mp_face_blendshapes_146x2.onnx"
POINTS, COEFFICIENTS = 478, 52
SIDE = CROP_SIZE // 2
_BASIS = 192
# Blinks, jaw, smiles and inner brows: what liveness and consent look at.
_WATCHED = (3, 9, 10, 25, 44, 45)
_EVERY = 3

Floats = npt.NDArray[np.float32]


class MeshNet(nn.Module):
    """`float[N, 256, 256, 3]` RGB 0..1 to points `[N, 478, 3]` in pixels, presence, 52 coefficients."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 16, stride=2), stage(16, 32, 1), stage(32, 64, 2), stage(64, 96, 2), stage(96, 128, 1)
        )
        self.shared = nn.Sequential(nn.Linear(128 * 4 * 4, _BASIS), nn.ReLU(inplace=True))
        self.points = nn.Linear(_BASIS, POINTS * 3)
        self.presence = nn.Linear(_BASIS, 1)
        self.look = nn.Sequential(
            nn.Linear(128 * 4 * 4, 96), nn.ReLU(inplace=True), nn.Linear(96, COEFFICIENTS)
        )

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """As the teacher answers, and the coefficients with it."""
        halved = nn.functional.avg_pool2d(x.permute(0, 3, 1, 2), 2)
        points, presence, coefficients = self.of_halved(halved * 2 - 1)
        return points * CROP_SIZE, presence, torch.sigmoid(coefficients)

    def of_halved(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """From `[N, 3, 128, 128]` -1..1: points in sides of the crop, two kinds of logits."""
        body = self.body(x).flatten(1)
        shared = self.shared(body)
        return self.points(shared).view(-1, POINTS, 3), self.presence(shared), self.look(body)


class Teacher:
    """Both of MediaPipe's networks on one crop."""

    def __init__(self, models: Path) -> None:
        self._points, self._shapes = load_session(models / LANDMARKS), load_session(models / BLENDSHAPES)

    def say(self, crop: Pixels) -> tuple[Floats, float, Floats]:
        """Points `float32[478, 3]` in pixels of the crop, presence logit, coefficients `float32[52]`."""
        tensor = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB).astype(np.float32)[None] / 255.0
        outputs = self._points.run({self._points.input_names[0]: tensor})
        points = np.asarray(outputs[0], np.float32).reshape(POINTS, 3)
        shapes = self._shapes.run({self._shapes.input_names[0]: points[None, SUBSET, :2]})[0].reshape(-1)
        return points, float(np.ravel(outputs[1])[0]), np.asarray(shapes, np.float32)


class Crops:
    """Crops of faces on photos and recordings, with jitter."""

    def __init__(
        self, photos: Path, models: Path, work: Path, keep_out: Sequence[str], *, unseen: bool
    ) -> None:
        seen = [one for one in seen_faces(photos, models, work) if one.photo.held_out == unseen]
        self._faces = [
            (read(one.photo.path), one.faces[0].box, one.faces[0].points)
            for one in tqdm(seen, desc="photos", mininterval=10)
        ]
        self._still = len(self._faces)
        detector = teacher_detector(models)
        for path in recordings(photos.parent, keep_out, kept=unseen):
            for pixels in frames(path, _EVERY):
                found = detector.detect(pixels)
                if found and found[0].score > 0.8:
                    kept = _near(pixels, np.array(found[0].box, np.float32), found[0].points)
                    self._faces.append(kept)

    def __len__(self) -> int:
        return len(self._faces)

    def at(self, index: int, rng: Rng | None = None) -> Pixels:
        """One crop `uint8[256, 256, 3]` BGR; with `rng`, a little off, mirrored, or hardly a face at all."""
        pixels, box, points = self._faces[index]
        if rng is not None:
            box, points = _jitter(rng, box, points)
        crop = cv2.warpAffine(pixels, crop_transform(tuple(box), points), (CROP_SIZE, CROP_SIZE))
        if rng is not None and rng.random() < 0.5:
            crop = crop[:, ::-1]
        return np.ascontiguousarray(crop, np.uint8)

    def draw(self, rng: Rng) -> Pixels:
        """A crop at random, half of them out of recordings."""
        moving = len(self._faces) - self._still
        if moving and rng.random() < 0.4:
            return self.at(self._still + int(rng.integers(moving)), rng)
        return self.at(int(rng.integers(self._still)), rng)


class MeshTask:
    """Trains on the pool, judged on photos of unseen people."""

    name = "mesh"
    batch = 96
    rate = 2e-3
    parts: ClassVar = {
        "": ("mesh.onnx", Shape((1, CROP_SIZE, CROP_SIZE, 3), ("points", "presence", "coefficients")))
    }

    def __init__(self, photos: Path, models: Path, work: Path) -> None:
        self._pool = Pool(work / "mesh_pool")
        unseen = Crops(photos, models, work, (), unseen=True)
        teacher = Teacher(models)
        self._judged = [unseen.at(index) for index in range(0, len(unseen), 3)]
        self._said = [teacher.say(crop) for crop in self._judged]

    @staticmethod
    def make_pool(photos: Path, models: Path, work: Path, count: int, keep_out: Sequence[str]) -> None:
        """Make `count` crops with what the teacher says."""
        crops, teacher = Crops(photos, models, work, keep_out, unseen=False), Teacher(models)
        fill(work / "mesh_pool", count, lambda rng, rows: _shard(rng, rows, crops, teacher))

    @staticmethod
    def student() -> nn.Module:
        """A student that knows nothing yet."""
        return MeshNet()

    def draw(self, rng: Rng, count: int) -> Mapping[str, torch.Tensor]:
        """Rows of the pool."""
        drawn = self._pool.draw(rng, count)
        made = {
            name: torch.from_numpy(np.asarray(rows, np.float32))
            for name, rows in drawn.items()
            if name != "crops"
        }
        made["crops"] = _tensor(np.asarray(drawn["crops"], np.uint8))
        return made

    def loss(self, student: nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Distances of points where there is a face, of presence, and of the coefficients."""
        with torch.autocast("cpu", torch.bfloat16):
            points, presence, look = student.of_halved(batch["crops"])
        there = torch.sigmoid(batch["presence"])
        near = (points.float() - batch["points"] / CROP_SIZE).abs()
        weights = torch.ones(POINTS, 1)
        weights[_AROUND_EYES_AND_MOUTH] = 3.0
        geometry = ((near * weights).mean((1, 2)) * there).mean()
        face = nn.functional.binary_cross_entropy_with_logits(presence.float()[:, 0], there)
        shapes = (torch.sigmoid(look.float()) - batch["shapes"]).abs() + (
            torch.sigmoid(look.float()) - batch["shapes"]
        ) ** 2
        shapes = shapes * _COEFFICIENT_WEIGHTS
        return 20 * geometry + 0.1 * face + 2.0 * (shapes.mean(1) * there).mean()

    def judge(self, student: nn.Module) -> Mapping[str, float]:
        """Points' error as a share of the eye distance, yaw's in degrees, blink's and smile's."""
        crops = np.stack([_halved(crop) for crop in self._judged])
        with torch.no_grad():
            points, _, look = student.of_halved(_tensor(crops))
        made = points.numpy() * CROP_SIZE
        said = np.stack([one[0] for one in self._said])
        shapes = np.stack([one[2] for one in self._said])
        eyes = np.linalg.norm(said[:, 33, :2] - said[:, 263, :2], axis=1)
        error = np.linalg.norm((made - said)[..., :2], axis=2).mean(1) / eyes
        yaw = [abs(pose_of(a).yaw - pose_of(b).yaw) for a, b in zip(made, said, strict=True)]
        look_error = np.abs(torch.sigmoid(look).numpy() - shapes)
        return {
            "points": float(np.median(error)),
            "yaw": float(np.median(yaw)),
            "yaw95": float(np.quantile(yaw, 0.95)),
            "blink": float(look_error[:, 9:11].mean()),
            "smile": float(look_error[:, 44:46].mean()),
        }


def _shard(rng: Rng, rows: int, crops: Crops, teacher: Teacher) -> Rows:
    pictures = np.empty((rows, SIDE, SIDE, 3), np.uint8)
    points = np.empty((rows, POINTS, 3), np.float32)
    presence, shapes = np.empty(rows, np.float32), np.empty((rows, COEFFICIENTS), np.float32)
    for row in range(rows):
        crop = crops.draw(rng)
        if rng.random() < 0.3:
            crop = close_eyes(crop, teacher.say(crop)[0], float(np.sqrt(rng.random())))
        crop = degrade(rng, crop, 0.7)
        points[row], presence[row], shapes[row] = teacher.say(crop)
        pictures[row] = _halved(crop)
    return {"crops": pictures, "points": points, "presence": presence, "shapes": shapes}


def _jitter(rng: Rng, box: Floats, points: Floats) -> tuple[Floats, Floats]:
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    half = half * np.exp(rng.normal(0.05, 0.12))
    side = 2 * half.max()
    if rng.random() < 0.06:
        middle = middle + rng.choice([-1, 1], 2) * rng.uniform(0.5, 1.2, 2) * side
    middle = middle + rng.normal(0, 0.05, 2) * side
    angle = rng.normal(0, 0.12)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = (points - points.mean(0)) @ turn.T + points.mean(0)
    return np.concatenate([middle - half, middle + half]).astype(np.float32), turned.astype(np.float32)


def _near(pixels: Pixels, box: Floats, points: Floats) -> tuple[Pixels, Floats, Floats]:
    """Only the surroundings of a face, so that many frames fit into memory."""
    middle, side = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max()) * 1.6
    left, top = (max(0, int(value - side)) for value in middle)
    right, bottom = (int(value + side) for value in middle)
    part = pixels[top:bottom, left:right]
    scale = min(1.0, 400 / max(part.shape[:2]))
    offset = np.array([left, top], np.float32)
    small = (
        cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else part.copy()
    )
    moved = (box.reshape(2, 2) - offset).reshape(4) * scale
    return (
        np.asarray(small, np.uint8),
        moved.astype(np.float32),
        ((points - offset) * scale).astype(np.float32),
    )


def _halved(crop: Pixels) -> Pixels:
    return np.asarray(cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _tensor(crops: Pixels) -> torch.Tensor:
    values = torch.from_numpy(np.ascontiguousarray(crops[..., ::-1])).permute(0, 3, 1, 2).float()
    return (values / 127.5 - 1).contiguous(memory_format=torch.channels_last)


_AROUND_EYES_AND_MOUTH = [
    33, 246, 161, 160, 159, 158, 157, 173, 133, 7, 163, 144, 145, 153, 154, 155,
    263, 466, 388, 387, 386, 385, 384, 398, 362, 249, 390, 373, 374, 380, 381, 382,
    61, 291, 13, 14, 0, 17, 4, 1, 468, 473,
]  # fmt: skip
_COEFFICIENT_WEIGHTS = torch.ones(COEFFICIENTS)
_COEFFICIENT_WEIGHTS[list(_WATCHED)] = 8.0
