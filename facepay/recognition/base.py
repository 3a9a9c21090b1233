"""Protocols of the recognition stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from facepay.types import Detection, ModelId, Pixels

FeatureRows = npt.NDArray[np.float32]
"""`float32[N, D]`, each row of unit length."""


class Detector(Protocol):
    """Finds faces with five points."""

    def detect(self, pixels: Pixels) -> tuple[Detection, ...]:
        """Return every face in `uint8[H, W, 3]` BGR, largest first."""


class Extractor(Protocol):
    """Turns aligned faces into features that only the same model's features compare with."""

    @property
    def model(self) -> ModelId:
        """Digest of the weights."""

    @property
    def dimensions(self) -> int:
        """Length D of a feature row."""

    def extract(self, faces: Sequence[Pixels]) -> FeatureRows:
        """Return `float32[N, D]` unit rows of N aligned faces `uint8[112, 112, 3]` BGR."""
