"""The recogniser: a dense residual network that learns the teacher's features by function matching.

Teacher and student look at the same picture, made a moment ago and never shown again (`training/mixing.py`).
No label says who anybody is: the target is what the teacher makes of it, at the end and twice on its way.
The maps on the way say far more of a picture than the one row at its end, and they are of small parts of a
face, of which a few thousand people have more variety than of faces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import openvino
import torch
from torch import nn

from facepay.recognition.recognisers import Crop, InputConvention, blob
from training.degrade import Pixels, Rng
from training.export import Shape
from training.faces import read, seen_faces
from training.mixing import SIDE, People, aligned
from training.nets import Residual, conv, stage

TEACHER = "face_reidentification_retail_0095.onnx"
DIMENSIONS = 256
_TEACHER_INPUT = InputConvention(size=128, crop=Crop.NARROW_96X112, channels="bgr", mean=0.0, std=1.0)
_FINE, _COARSE = ("605_o", 16), ("652_o", 8)
"""Layers of the teacher that serve as hints, and the side of their maps; both of 128 channels."""
_HINT_CHANNELS = 128
_HINT_WEIGHTS = (0.2, 0.4)
_RELATION_WEIGHT = 4.0

Floats = npt.NDArray[np.float32]


class Recogniser(nn.Module):
    """`float[N, 3, 112, 112]` RGB -1..1 to `float[N, 256]`, not yet of unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(conv(3, 32, stride=2), stage(32, 64, 2), stage(64, 128, 3))
        self.coarse = nn.Sequential(stage(128, 192, 1), Residual(192))
        self.widen = conv(192, 384, size=1)
        self.places = nn.Parameter(torch.full((384, 7, 7), 1 / 49))
        self.head = nn.Linear(384, DIMENSIONS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Feature rows."""
        return self.maps(x)[-1]

    def maps(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """`[N, 128, 14, 14]`, `[N, 192, 7, 7]` and the feature rows."""
        fine = self.fine(x)
        coarse = self.coarse(fine)
        return fine, coarse, self.head((self.widen(coarse) * self.places).sum((2, 3)))


class Taught(nn.Module):
    """A student, and in training the two linear maps by which it is held against the teacher's hints."""

    def __init__(self) -> None:
        super().__init__()
        self.student = Recogniser()
        self.fine = nn.Conv2d(128, _HINT_CHANNELS, 1)
        self.coarse = nn.Conv2d(192, _HINT_CHANNELS, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Feature rows; in training the hints too."""
        if not self.training:
            return self.student(x)
        fine, coarse, rows = self.student.maps(x)
        return (
            rows,
            self.fine(_seen_by_teacher(fine, _FINE[1])),
            self.coarse(
                _seen_by_teacher(
                    nn.functional.interpolate(coarse, scale_factor=2.0, mode="bilinear"), _COARSE[1]
                )
            ),
        )


def _seen_by_teacher(map_14: torch.Tensor, side: int) -> torch.Tensor:
    """The part of a 14 x 14 map that the teacher's narrower crop shows, at the teacher's resolution."""
    return nn.functional.interpolate(map_14[..., 1:13], (side, side), mode="bilinear")


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the teacher makes of pictures.

    Unit rows `float32[N, 256]`, maps `[N, 128, 16, 16]` and `[N, 128, 8, 8]`.
    """

    rows: Floats
    fine: Floats
    coarse: Floats


class Teacher:
    """The teacher, in batches; bfloat16 turns its rows by a cosine of 0.001 and trebles the speed."""

    batch = 16

    def __init__(self, models: Path, *, exact: bool = False) -> None:
        core = openvino.Core()
        model = core.read_model(str(models / TEACHER))
        layers = {one.get_friendly_name(): one for one in model.get_ordered_ops()}
        model.add_outputs([layers[name].output(0) for name, _ in (_FINE, _COARSE)])
        model.reshape({model.inputs[0]: [self.batch, 3, _TEACHER_INPUT.size, _TEACHER_INPUT.size]})
        precision = "f32" if exact else "bf16"
        self._model = core.compile_model(
            model, "CPU", {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1}
        )

    def lesson(self, pictures: Pixels) -> Lesson:
        """Of `uint8[N, 112, 112, 3]` BGR."""
        starts = range(0, len(pictures), self.batch)
        parts = [self._batch(pictures[start : start + self.batch]) for start in starts]
        rows, fine, coarse = (np.concatenate(part) for part in zip(*parts, strict=True))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return Lesson(rows, fine, coarse)

    def _batch(self, pictures: Pixels) -> tuple[Floats, ...]:
        blobs = np.concatenate([blob(one, _TEACHER_INPUT) for one in pictures])
        full = np.concatenate([blobs, np.zeros((self.batch - len(blobs), *blobs.shape[1:]), np.float32)])
        made = self._model(full)
        rows = made[0].reshape(self.batch, -1)
        return tuple(np.array(one[: len(pictures)], np.float32) for one in (rows, made[1], made[2]))


class RecogniserTask:
    """Trains on pictures made as it goes, judged by how near unseen people's rows come to the teacher's."""

    name = "recogniser"
    batch = 128
    rate = 2e-3
    parts: ClassVar = {"": ("recogniser.onnx", Shape((1, 3, SIDE, SIDE), ("features",)))}

    def __init__(self, photos: Path, models: Path, work: Path) -> None:
        seen = seen_faces(photos, models, work)
        self._people = People([one for one in seen if not one.photo.held_out])
        self._teacher = Teacher(models)
        unseen = [one for one in seen if one.photo.held_out]
        self._pictures = np.stack([aligned(one, read(one.photo.path)) for one in unseen])
        self._targets = Teacher(models, exact=True).lesson(self._pictures).rows
        names = sorted({one.photo.person for one in unseen})
        self._names = np.array([names.index(one.photo.person) for one in unseen])

    @staticmethod
    def student() -> nn.Module:
        """A student that knows nothing yet."""
        return Taught()

    def draw(self, rng: Rng, count: int) -> Mapping[str, torch.Tensor]:
        """Pictures, and what the teacher makes of them."""
        pictures = np.stack([self._people.draw(rng) for _ in range(count)])
        lesson = self._teacher.lesson(pictures)
        return {
            "pictures": tensor_of(pictures),
            "rows": torch.from_numpy(lesson.rows),
            "fine": torch.from_numpy(lesson.fine),
            "coarse": torch.from_numpy(lesson.coarse),
        }

    def loss(self, student: nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """One minus the cosine, how far similarities within the batch are off, and how far the hints are."""
        with torch.autocast("cpu", torch.bfloat16):
            rows, fine, coarse = student(batch["pictures"])
        rows = nn.functional.normalize(rows.float())
        cosine = (1 - (rows * batch["rows"]).sum(1)).mean()
        relation = ((rows @ rows.T - batch["rows"] @ batch["rows"].T) ** 2).mean()
        hints = zip(_HINT_WEIGHTS, (fine, coarse), (batch["fine"], batch["coarse"]), strict=True)
        off = sum(weight * _unexplained(made.float(), wanted) for weight, made, wanted in hints)
        return cosine + _RELATION_WEIGHT * relation + off

    def judge(self, student: nn.Module) -> Mapping[str, float]:
        """Cosine to the teacher, and missed matches at one false match in a thousand."""
        rows = features(student, self._pictures)
        miss, teacher_miss = (fnmr_at(one, self._names, 1e-3) for one in (rows, self._targets))
        return {"cosine": float((rows * self._targets).sum(1).mean()), "fnmr": miss, "teacher": teacher_miss}


def _unexplained(made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """The share of each channel's variance that is not met, on average over channels."""
    variance = wanted.var((0, 2, 3)) + 1e-6
    return (((made - wanted) ** 2).mean((0, 2, 3)) / variance).mean()


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
