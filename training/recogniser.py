"""The recogniser: a dense residual network that learns the teacher's features by function matching.

Teacher and student look at the same picture: an aligned face with some jitter in the alignment, mostly
mixed out of two people (blended, or parts of one set into the other) and bent, so that nearly every
picture is of a person who does not exist; then degraded as a shop's camera would. No label says who
anybody is: the target is the teacher's feature row. A pool of such pictures with their targets is made
once by `python -m training recogniser pool`, because the teacher costs more than the student.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import numpy.typing as npt
import openvino
import torch
from torch import nn
from tqdm import tqdm

from facepay.recognition.alignment import align
from facepay.recognition.recognisers import Crop, InputConvention, blob
from training.degrade import Pixels, Rng, degrade
from training.export import Shape
from training.faces import Seen, read, seen_faces
from training.nets import conv, stage
from training.pool import Pool, Rows, fill

TEACHER = "face_reidentification_retail_0095.onnx"
DIMENSIONS = 256
SIDE = 112
_TEACHER_INPUT = InputConvention(size=128, crop=Crop.NARROW_96X112, channels="bgr", mean=0.0, std=1.0)

Floats = npt.NDArray[np.float32]


class Recogniser(nn.Module):
    """`float[N, 3, 112, 112]` RGB -1..1 to `float[N, 256]`, not yet of unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 32, stride=2), stage(32, 64, 2), stage(64, 128, 3), stage(128, 192, 1)
        )
        self.squeeze = conv(192, 64, size=1)
        self.head = nn.Linear(64 * 7 * 7, DIMENSIONS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Feature rows."""
        return self.head(self.squeeze(self.body(x)).flatten(1))


class Teacher:
    """The teacher's unit rows, in batches; bfloat16 turns them by a cosine of 0.001 and trebles the speed."""

    batch = 16

    def __init__(self, models: Path, *, exact: bool = False) -> None:
        core = openvino.Core()
        model = core.read_model(str(models / TEACHER))
        model.reshape([self.batch, 3, _TEACHER_INPUT.size, _TEACHER_INPUT.size])
        precision = "f32" if exact else "bf16"
        self._model = core.compile_model(
            model, "CPU", {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1}
        )

    def rows(self, pictures: Pixels) -> Floats:
        """`float32[N, 256]` of `uint8[N, 112, 112, 3]` BGR."""
        made = []
        for start in range(0, len(pictures), self.batch):
            blobs = np.concatenate(
                [blob(one, _TEACHER_INPUT) for one in pictures[start : start + self.batch]]
            )
            full = np.concatenate([blobs, np.zeros((self.batch - len(blobs), *blobs.shape[1:]), np.float32)])
            made.append(self._model(full)[0].reshape(self.batch, -1)[: len(blobs)].copy())
        rows = np.concatenate(made)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


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


class RecogniserTask:
    """Trains on the pool, judged by how near unseen people's rows come to the teacher's."""

    name = "recogniser"
    batch = 128
    rate = 2e-3
    parts: ClassVar = {"": ("recogniser.onnx", Shape((1, 3, SIDE, SIDE), ("features",)))}

    def __init__(self, photos: Path, models: Path, work: Path) -> None:
        self._pool = Pool(work / "recogniser_pool")
        self._unseen = _unseen(photos, models, work)

    @staticmethod
    def make_pool(photos: Path, models: Path, work: Path, count: int, keep_out: Sequence[str] = ()) -> None:
        """Make `count` pictures of people who mostly do not exist, with the teacher's rows."""
        people = People([one for one in seen_faces(photos, models, work) if not one.photo.held_out])
        teacher = Teacher(models)

        def shard(rng: Rng, rows: int) -> Rows:
            pictures = np.stack([people.draw(rng) for _ in range(rows)])
            return {"pictures": pictures, "targets": teacher.rows(pictures)}

        fill(work / "recogniser_pool", count, shard)

    @staticmethod
    def student() -> nn.Module:
        """A student that knows nothing yet."""
        return Recogniser()

    def draw(self, rng: Rng, count: int) -> Mapping[str, torch.Tensor]:
        """Rows of the pool."""
        drawn = self._pool.draw(rng, count)
        targets = torch.from_numpy(np.asarray(drawn["targets"], np.float32))
        return {"pictures": tensor_of(np.asarray(drawn["pictures"], np.uint8)), "targets": targets}

    def loss(self, student: nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """One minus the cosine, and how far similarities within the batch are from the teacher's."""
        with torch.autocast("cpu", torch.bfloat16):
            rows = student(batch["pictures"])
        rows = nn.functional.normalize(rows.float())
        cosine = (1 - (rows * batch["targets"]).sum(1)).mean()
        relation = ((rows @ rows.T - batch["targets"] @ batch["targets"].T) ** 2).mean()
        return cosine + 4.0 * relation

    def judge(self, student: nn.Module) -> Mapping[str, float]:
        """Cosine to the teacher, and missed matches at one false match in a thousand."""
        pictures, targets, people = self._unseen
        rows = features(student, pictures)
        miss, teacher_miss = (fnmr_at(one, people, 1e-3) for one in (rows, targets))
        return {"cosine": float((rows * targets).sum(1).mean()), "fnmr": miss, "teacher": teacher_miss}


def tensor_of(pictures: Pixels) -> torch.Tensor:
    """`uint8[N, H, W, 3]` BGR as `float32[N, 3, H, W]` RGB -1..1."""
    values = torch.from_numpy(np.ascontiguousarray(pictures[..., ::-1])).permute(0, 3, 1, 2)
    return ((values.float() - 127.5) / 127.5).contiguous(memory_format=torch.channels_last)


def features(student: nn.Module, pictures: Pixels) -> Floats:
    """Unit rows `float32[N, 256]` of aligned faces."""
    rows = []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(pictures), 64):
            rows.append(student(tensor_of(pictures[start : start + 64])).float())
    return np.asarray(nn.functional.normalize(torch.cat(rows)).numpy(), np.float32)


def fnmr_at(rows: Floats, people: npt.NDArray[np.int64], rate: float) -> float:
    """Share of the pairs of one person that are missed where strangers match at `rate`."""
    scores = rows @ rows.T
    upper = np.triu_indices(len(rows), 1)
    same = people[upper[0]] == people[upper[1]]
    values = scores[upper]
    threshold = np.quantile(values[~same], 1 - rate)
    return float((values[same] < threshold).mean())


def _unseen(photos: Path, models: Path, work: Path) -> tuple[Pixels, Floats, npt.NDArray[np.int64]]:
    seen = [one for one in seen_faces(photos, models, work) if one.photo.held_out]
    names = {name: index for index, name in enumerate(sorted({one.photo.person for one in seen}))}
    pictures = np.stack([aligned(one, read(one.photo.path)) for one in seen])
    targets = Teacher(models, exact=True).rows(pictures)
    return pictures, targets, np.array([names[one.photo.person] for one in seen])
