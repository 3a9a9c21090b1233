"""Recognisers that do not follow the ArcFace input convention, described by their pack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
import numpy.typing as npt

from facepay.recognition.base import FeatureRows
from facepay.recognition.insightface import unit_rows
from facepay.types import ModelId, Pixels
from hardware.inference import InferenceSession


class Crop(Enum):
    """Which part of the aligned face a recogniser looks at."""

    SQUARE_112 = "square_112"
    NARROW_96X112 = "narrow_96x112"


@dataclass(frozen=True, slots=True)
class InputConvention:
    """How a recogniser wants its input: `(value - mean) / std` in `channels` order, `size` pixels a side."""

    size: int = 112
    crop: Crop = Crop.SQUARE_112
    channels: str = "rgb"
    mean: float = 127.5
    std: float = 127.5


class OnnxExtractor:
    """Features by one ONNX recogniser, fed as its convention says, one face a run."""

    def __init__(
        self, session: InferenceSession, model: ModelId, convention: InputConvention, dimensions: int
    ) -> None:
        self._session = session
        self._input = session.input_names[0]
        self._model = model
        self._convention = convention
        self._dimensions = dimensions

    @property
    def model(self) -> ModelId:
        """Digest of the weights."""
        return self._model

    @property
    def dimensions(self) -> int:
        """Length of a feature row."""
        return self._dimensions

    def extract(self, faces: Sequence[Pixels]) -> FeatureRows:
        """Return `float32[N, D]` unit rows of N aligned faces `uint8[112, 112, 3]` BGR."""
        if not faces:
            return np.empty((0, self._dimensions), np.float32)
        rows = [self._session.run({self._input: blob(face, self._convention)})[0] for face in faces]
        return unit_rows(np.concatenate([row.reshape(1, -1) for row in rows]))


def blob(face: Pixels, convention: InputConvention) -> npt.NDArray[np.float32]:
    """Return one aligned face `uint8[112, 112, 3]` BGR as `float32[1, 3, size, size]`."""
    if convention.crop is Crop.NARROW_96X112:
        # The 96x112 template is the square one without 8 pixels at either side.
        face = face[:, 8:104]
    size = (convention.size, convention.size)
    made = cv2.dnn.blobFromImage(
        np.ascontiguousarray(face),
        1.0 / convention.std,
        size,
        (convention.mean,) * 3,
        swapRB=convention.channels == "rgb",
    )
    return np.asarray(made, dtype=np.float32)
