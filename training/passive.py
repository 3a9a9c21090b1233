"""Passive liveness: two small networks in place of the teacher's pair, one for each crop.

They learn the teachers' three probabilities on photos, on recordings, on both held up as a phone or a sheet
before some background, and re-photographed off a simulated display or print by `liveness.simulation`.
What the teachers cannot tell, they cannot.
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

from hardware.inference import InferenceSession, load_session
from liveness.passive import INPUT_SIZE, SCALES, crop_around
from liveness.simulation.rephotograph import Medium, Setup, rephotograph
from training.degrade import Pixels, Rng, degrade
from training.export import Shape
from training.faces import read, seen_faces, teacher_detector
from training.nets import conv, stage
from training.pool import Pool, Rows, fill
from training.recordings import frames, recordings

TEACHERS = ("2.7_80x80_MiniFASNetV2.onnx", "4_0_0_80x80_MiniFASNetV1SE.onnx")
NAMES = ("narrow", "wide")
_EVERY = 6
_JUDGED = 500

Floats = npt.NDArray[np.float32]


class PassiveNet(nn.Module):
    """`float[N, 3, 80, 80]` BGR 0..255 to three logits, of which the second is bona fide."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(3, 24, stride=2), stage(24, 48, 1), stage(48, 64, 1), stage(64, 96, 1))
        self.head = nn.Linear(96, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits."""
        return self.head(self.body(x / 127.5 - 1).mean((2, 3)))


class Pair(nn.Module):
    """Both students, trained side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow, self.wide = PassiveNet(), PassiveNet()

    def forward(self, narrow: torch.Tensor, wide: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of both."""
        return self.narrow(narrow), self.wide(wide)


class Pictures:
    """Pictures with one face each: photos, frames, and some of both re-photographed."""

    def __init__(
        self, photos: Path, models: Path, work: Path, keep_out: Sequence[str], *, unseen: bool
    ) -> None:
        seen = [one for one in seen_faces(photos, models, work) if one.photo.held_out == unseen]
        self._known = [
            (read(one.photo.path), one.faces[0].box) for one in tqdm(seen, desc="photos", mininterval=10)
        ]
        self._still = len(self._known)
        detector = teacher_detector(models)
        for path in recordings(photos.parent, keep_out, kept=unseen):
            for pixels in frames(path, _EVERY):
                scale = min(1.0, 640 / max(pixels.shape[:2]))
                small = np.asarray(
                    cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
                )
                found = detector.detect(small)
                if found:
                    self._known.append((small, np.array(found[0].box, np.float32)))

    def draw(self, rng: Rng) -> tuple[Pixels, Pixels]:
        """The narrow and the wide crop of one picture, `uint8[80, 80, 3]` BGR each."""
        moving = len(self._known) - self._still
        if moving and rng.random() < 0.5:
            pixels, box = self._known[self._still + int(rng.integers(moving))]
        else:
            pixels, box = self._known[int(rng.integers(self._still))]
        if rng.random() < 0.35:
            pixels, box = held_up(rng, pixels, box)
        if rng.random() < 0.4:
            pixels = rephotograph(pixels, _setup(rng))
        if rng.random() < 0.5:
            pixels = degrade(rng, pixels, 0.6)
        if rng.random() < 0.5:
            width = pixels.shape[1]
            pixels, box = (
                np.ascontiguousarray(pixels[:, ::-1]),
                box[[2, 1, 0, 3]] * [-1, 1, -1, 1] + [width, 0, width, 0],
            )
        middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * np.exp(rng.normal(0, 0.12))
        middle = middle + rng.normal(0, 0.04, 2) * half
        moved = (*(middle - half), *(middle + half))
        narrow, wide = (crop_around(pixels, moved, scale=scale) for scale in SCALES)
        if narrow is None or wide is None:
            return self.draw(rng)
        return narrow, wide


class PassiveTask:
    """Trains on the pool, judged on unseen people by how often it agrees with the teachers."""

    name = "passive"
    batch = 192
    rate = 2e-3
    parts: ClassVar = {
        name: (f"passive_{name}.onnx", Shape((1, 3, INPUT_SIZE, INPUT_SIZE), ("logits",))) for name in NAMES
    }

    def __init__(self, photos: Path, models: Path, work: Path) -> None:
        self._pool = Pool(work / "passive_pool")
        self._judged = _shard(
            np.random.default_rng(7),
            _JUDGED,
            Pictures(photos, models, work, (), unseen=True),
            _teachers(models),
        )

    @staticmethod
    def make_pool(photos: Path, models: Path, work: Path, count: int, keep_out: Sequence[str]) -> None:
        """Make `count` pairs of crops with what the teachers say."""
        pictures, teachers = Pictures(photos, models, work, keep_out, unseen=False), _teachers(models)
        fill(work / "passive_pool", count, lambda rng, rows: _shard(rng, rows, pictures, teachers))

    @staticmethod
    def student() -> nn.Module:
        """Students that know nothing yet."""
        return Pair()

    def draw(self, rng: Rng, count: int) -> Mapping[str, torch.Tensor]:
        """Rows of the pool."""
        return _tensors(self._pool.draw(rng, count))

    def loss(self, student: nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Cross entropy against the teachers' probabilities."""
        with torch.autocast("cpu", torch.bfloat16):
            made = student(batch["narrow"], batch["wide"])
        total = torch.zeros(())
        for logits, name in zip(made, NAMES, strict=True):
            total = total + nn.functional.cross_entropy(logits.float(), batch[f"{name}_said"])
        return total

    def judge(self, student: nn.Module) -> Mapping[str, float]:
        """Mean distance of the pair's probability of bona fide, and agreement at one half."""
        batch = _tensors(self._judged)
        with torch.no_grad():
            made = student(batch["narrow"], batch["wide"])
        ours = np.mean([torch.softmax(one, 1)[:, 1].numpy() for one in made], axis=0)
        theirs = np.mean([batch[f"{name}_said"][:, 1].numpy() for name in NAMES], axis=0)
        return {
            "distance": float(np.abs(ours - theirs).mean()),
            "agree": float(((ours > 0.5) == (theirs > 0.5)).mean()),
            "bona_fide": float((theirs > 0.5).mean()),
        }


def _teachers(models: Path) -> tuple[InferenceSession, ...]:
    return tuple(load_session(models / name) for name in TEACHERS)


def _say(session: InferenceSession, crop: Pixels) -> Floats:
    tensor = np.ascontiguousarray(crop.astype(np.float32).transpose(2, 0, 1)[None])
    logits = np.ravel(session.run({session.input_names[0]: tensor})[0])
    weights = np.exp(logits - logits.max())
    return np.asarray(weights / weights.sum(), np.float32)


def _shard(rng: Rng, rows: int, pictures: Pictures, teachers: Sequence[InferenceSession]) -> Rows:
    made: dict[str, list[npt.NDArray[np.generic]]] = {}
    for _ in range(rows):
        for name, crop, session in zip(NAMES, pictures.draw(rng), teachers, strict=True):
            made.setdefault(name, []).append(crop)
            made.setdefault(f"{name}_said", []).append(_say(session, crop))
    return {name: np.stack(values) for name, values in made.items()}


def _tensors(rows: Rows) -> dict[str, torch.Tensor]:
    made = {}
    for name in NAMES:
        crops = torch.from_numpy(np.asarray(rows[name], np.float32)).permute(0, 3, 1, 2)
        made[name] = crops.contiguous(memory_format=torch.channels_last)
        made[f"{name}_said"] = torch.from_numpy(np.asarray(rows[f"{name}_said"], np.float32))
    return made


def held_up(rng: Rng, pixels: Pixels, box: Floats) -> tuple[Pixels, Floats]:
    """The picture on a phone, a tablet or a sheet with its rim, before some background; and its box there."""
    height, width = pixels.shape[:2]
    cut = min(width, int(height * rng.uniform(0.5, 1.2)))
    left = int(np.clip((box[0] + box[2]) / 2 - cut / 2, 0, width - cut))
    scale = float(rng.uniform(0.45, 0.9)) * min(1.0, width / cut)
    shown = cv2.resize(pixels[:, left : left + cut], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tint = rng.uniform(0.75, 1.15, 3) if rng.random() < 0.6 else np.ones(3)
    shown = np.clip(shown * tint, 0, 255).astype(np.uint8)
    coarse = rng.integers(0, 256, (int(rng.integers(1, 5)), int(rng.integers(1, 5)), 3)).astype(np.uint8)
    room = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    high, wide = shown.shape[:2]
    top, side = int(rng.integers(0, height - high + 1)), int(rng.integers(0, width - wide + 1))
    rim = int(rng.uniform(0.0, 0.08) * high)
    colour = int(rng.choice([8, 20, 235])) if rng.random() < 0.8 else int(rng.integers(0, 256))
    cv2.rectangle(room, (side - rim, top - rim), (side + wide + rim, top + high + rim), (colour,) * 3, -1)
    room[top : top + high, side : side + wide] = shown
    moved = (box - np.array([left, 0, left, 0], np.float32)) * scale + np.array(
        [side, top, side, top], np.float32
    )
    return np.asarray(room, np.uint8), moved.astype(np.float32)


def _setup(rng: Rng) -> Setup:
    """A display or a print, photographed with more or less care."""
    return Setup(
        Medium.DISPLAY if rng.random() < 0.5 else Medium.PRINT,
        display_px_per_px=float(rng.uniform(0.6, 2.0)),
        tilt=float(rng.uniform(0, 0.08)),
        defocus_px=float(rng.uniform(0.3, 1.5)),
        noise=float(rng.uniform(0.5, 5)),
        sharpen=float(rng.uniform(0, 1)),
        jpeg_quality=int(rng.integers(50, 96)),
        seed=int(rng.integers(1 << 30)),
    )
