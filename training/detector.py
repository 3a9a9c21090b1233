"""The detector: three grids of cells, each cell with a score, a box and five points.

Faces up to 48 pixels belong to the cells of 8 pixels, up to 112 to those of 16, larger ones to those of
32, counted in a picture whose longest side is 320. The teacher is YuNet: its boxes and points on the
photos are carried into scenes of known size and place (`training.scenes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from facepay.recognition.grid import STRIDES, decode, without_overlaps
from training.degrade import Pixels, Rng
from training.export import Shape
from training.faces import read, seen_faces, teacher_detector
from training.nets import conv, stage
from training.recogniser import tensor_of
from training.scenes import SHAPES, Checkout, Scene

LIMITS = (0.0, 48.0, 112.0, 1e9)
_JUDGED = 400

Floats = npt.NDArray[np.float32]


class GridNet(nn.Module):
    """`float[N, 3, H, W]` RGB -1..1, sides divisible by 32, to three maps `float[N, 15, H/s, W/s]`."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(3, 16, stride=2), conv(16, 24, stride=2))
        self.at_8, self.at_16, self.at_32 = stage(24, 48, 1), stage(48, 64, 2), stage(64, 96, 1)
        self.side_8, self.side_16, self.side_32 = (nn.Conv2d(width, 32, 1) for width in (48, 64, 96))
        self.smooth_8, self.smooth_16 = conv(32, 32), conv(32, 32)
        self.heads = nn.ModuleList([nn.Sequential(conv(32, 32), nn.Conv2d(32, 15, 1)) for _ in STRIDES])
        for head in self.heads:
            nn.init.constant_(head[1].bias[:1], -4.0)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Logit of the score, four numbers of the box, ten of the points, for each cell."""
        fine = self.at_8(self.stem(x))
        middle = self.at_16(fine)
        coarse = self.side_32(self.at_32(middle))
        middle = self.smooth_16(self.side_16(middle) + nn.functional.interpolate(coarse, scale_factor=2.0))
        fine = self.smooth_8(self.side_8(fine) + nn.functional.interpolate(middle, scale_factor=2.0))
        return tuple(head(part) for head, part in zip(self.heads, (fine, middle, coarse), strict=True))


class DetectorTask:
    """Trains on scenes, judged by what YuNet finds on photos of unseen people."""

    name = "detector"
    batch = 24
    rate = 2e-3
    parts: ClassVar = {"": ("detector.onnx", Shape((1, 3, 192, 320), ("map_8", "map_16", "map_32"), (2, 3)))}

    def __init__(self, photos: Path, models: Path, work: Path) -> None:
        seen = seen_faces(photos, models, work)
        self._checkout = Checkout([one for one in seen if not one.photo.held_out])
        self._unseen = [one for one in seen if one.photo.held_out][:_JUDGED]
        self._teacher = teacher_detector(models)

    @staticmethod
    def student() -> nn.Module:
        """A student that knows nothing yet."""
        return GridNet()

    def draw(self, rng: Rng, count: int) -> Mapping[str, torch.Tensor]:
        """Scenes of one shape, and for each grid what its cells should say."""
        shape = SHAPES[int(rng.integers(len(SHAPES)))]
        scenes = [self._checkout.draw(rng, shape) for _ in range(count)]
        batch = {"pictures": tensor_of(np.stack([scene.pixels for scene in scenes]))}
        for level in range(len(STRIDES)):
            wanted = [_wanted(scene, shape, level) for scene in scenes]
            batch[f"wanted_{level}"] = torch.from_numpy(np.stack(wanted))
        return batch

    def loss(self, student: nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Focal loss of the scores, smooth distance of boxes and points, relative to the face's size."""
        with torch.autocast("cpu", torch.bfloat16):
            maps = student(batch["pictures"])
        total = torch.zeros(())
        faces = torch.zeros(())
        for level, made in enumerate(maps):
            wanted = batch[f"wanted_{level}"]
            total = total + _score_loss(made[:, 0].float(), wanted[:, 0], wanted[:, 15])
            weight = wanted[:, 16]
            error = nn.functional.smooth_l1_loss(
                made[:, 1:].float(), wanted[:, 1:15], beta=0.1, reduction="none"
            )
            error = error * wanted[:, 17:18]
            total = total + (error.sum(1) * weight).sum()
            faces = faces + weight.sum()
        return total / faces.clamp(min=1)

    def judge(self, student: nn.Module) -> Mapping[str, float]:
        """Share of the teacher's faces that are found, false ones a picture, and the points' error."""
        found, wrong, errors, known = 0, 0, [], 0
        for one in self._unseen:
            pixels = read(one.photo.path)
            truth = [face for face in self._teacher.detect(pixels) if face.score >= 0.8]
            made = detect(student, pixels)
            known += len(truth)
            for face in truth:
                match = next((row for row in made if _overlap(row[1:5], np.array(face.box)) > 0.5), None)
                if match is not None:
                    found += 1
                    eyes = float(np.linalg.norm(face.points[1] - face.points[0]))
                    errors.append(np.linalg.norm(match[5:].reshape(5, 2) - face.points, axis=1).mean() / eyes)
            unsure = self._teacher.detect(pixels)
            wrong += sum(all(_overlap(row[1:5], np.array(face.box)) < 0.3 for face in unsure) for row in made)
        return {
            "recall": found / max(known, 1),
            "false": wrong / len(self._unseen),
            "points": float(np.median(errors)) if errors else 1.0,
        }


def detect(student: nn.Module, pixels: Pixels, score: float = 0.5) -> list[Floats]:
    """Rows of score, box and points, as the product's detector makes them."""
    height, width = pixels.shape[:2]
    scale = min(1.0, 320 / max(height, width))
    small = cv2.resize(pixels, (round(width * scale), round(height * scale))) if scale < 1 else pixels
    high, wide = (-(-side // 32) * 32 for side in small.shape[:2])
    canvas = np.zeros((high, wide, 3), np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    with torch.no_grad():
        maps = [one[0].float().numpy() for one in student(tensor_of(canvas[None]))]
    rows = without_overlaps(decode(maps, score), 0.3)
    rows[:, 1:] /= scale
    return list(rows)


def _wanted(scene: Scene, shape: tuple[int, int], level: int) -> Floats:
    """`float32[18, h, w]`: score, box, points as `decode` reads them; then whether the score counts,
    the weight of the geometry, and one over the size of the face in cells."""
    stride = STRIDES[level]
    high, wide = shape[0] // stride, shape[1] // stride
    wanted = np.zeros((18, high, wide), np.float32)
    wanted[15] = 1.0
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    for box in scene.unsure:
        left, top, right, bottom = box / stride
        wanted[15][(x + 1 > left) & (x < right) & (y + 1 > top) & (y < bottom)] = 0.0
    for box, points in zip(scene.boxes, scene.points, strict=True):
        size = float(np.sqrt(np.prod(box[2:] - box[:2])))
        centre = (box[:2] + box[2:]) / 2 / stride - 0.5
        distance = (x - centre[0]) ** 2 + (y - centre[1]) ** 2
        near = LIMITS[level] * 0.8 <= size < LIMITS[level + 1] * 1.25
        if not near:
            continue
        spread = max(0.6, 0.12 * size / stride)
        score = np.exp(-distance / (2 * spread**2)).astype(np.float32)
        own = LIMITS[level] <= size < LIMITS[level + 1]
        if not own:
            # The neighbouring grid may say yes or no to a face at its border.
            wanted[15][score > 0.3] = 0.0
            continue
        wanted[15][score > 0.3] = 1.0
        better = score > wanted[0]
        wanted[0][better] = score[better]
        peak = np.unravel_index(int(np.argmin(distance)), distance.shape)
        wanted[0][peak] = 1.0
        cells = better & (distance < max(1.5, spread) ** 2 * 1.2)
        cells[peak] = True
        wanted[1:5][:, cells] = _box_numbers(box / stride, x[cells], y[cells])
        for index, (px, py) in enumerate(points / stride):
            wanted[5 + 2 * index][cells] = px - x[cells] - 0.5
            wanted[6 + 2 * index][cells] = py - y[cells] - 0.5
        wanted[16][cells] = score[cells]
        wanted[17][cells] = 4.0 * stride / size
    return wanted


def _box_numbers(box: Floats, x: Floats, y: Floats) -> Floats:
    centre, side = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    ones = np.ones_like(x)
    return np.stack(
        [centre[0] - x - 0.5, centre[1] - y - 0.5, np.log(side[0]) * ones, np.log(side[1]) * ones]
    )


def _score_loss(logits: torch.Tensor, wanted: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Focal loss with soft targets around the peak (Zhou et al., Objects as Points, 2019)."""
    share = torch.sigmoid(logits).clamp(1e-5, 1 - 1e-5)
    peak = (wanted == 1.0).float()
    yes = peak * (1 - share) ** 2 * torch.log(share)
    no = (1 - peak) * (1 - wanted) ** 4 * share**2 * torch.log(1 - share)
    return -((yes + no) * counts).sum()


def _overlap(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    inner = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    return float(inner / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - inner))
