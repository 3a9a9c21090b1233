"""The only place that imports insightface: its detector, aligner and recogniser classes.

Sessions are passed in, input conventions come from the pack, and nothing is guessed or downloaded.
The library is imported on first use, not when this module is, because it takes over a second.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facepay.errors import Fault, ModelMismatch
from facepay.recognition.base import FeatureRows
from facepay.types import Detection, ModelId, Pixels, Points
from hardware.inference import InferenceSession
from hardware.libraries import require_opencv

FACE_SIZE = 112
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class ManifestTask:
    """One model of an insightface package manifest: file, pinned digest (empty if none), conventions."""

    path: Path
    sha256: str
    mean: float
    std: float
    dimensions: int


def align_to_template(pixels: Pixels, points: Points) -> Pixels:
    """Warp a face onto insightface's five-point template: `uint8[112, 112, 3]` BGR."""
    face_align = _face_align()
    return np.asarray(face_align.norm_crop(pixels, points, FACE_SIZE), dtype=np.uint8)


LARGE_FACE = 0.35
"""Share of the frame's height from which a face at the first input size makes the other sizes needless."""


class ScrfdDetector:
    """insightface's SCRFD over one shared session, at one or several input sizes.

    The first size finds every face but those that fill the frame; the others run only where it found none
    that is large, since they cost time and their points are coarser.
    """

    def __init__(self, session: InferenceSession, sizes: Sequence[int], score: float, nms: float) -> None:
        """Wrap a loaded SCRFD model.

        Args:
            session: the model.
            sizes: square input sizes in pixels, the usual first; small ones see faces that fill the frame.
            score: least detection score 0..1.
            nms: overlap 0..1 above which two boxes are one face.

        Raises:
            ModelMismatch: the model gives no five points.
        """
        require_opencv()
        from insightface.model_zoo.scrfd import SCRFD

        self._scrfd: Any = SCRFD(session=session.ort, static_shape_sessions=False)
        if not self._scrfd.use_kps:
            raise ModelMismatch("the detector gives boxes without the five points that alignment needs")
        self._scrfd.prepare(0, input_size=[(size, size) for size in sizes], det_thresh=score, nms_thresh=nms)
        self._usual, *self._others = [(size, size) for size in sizes]
        self._one_face_from = nms

    def detect(self, pixels: Pixels) -> tuple[Detection, ...]:
        """Return every face in `uint8[H, W, 3]` BGR, largest first."""
        found = self._at(pixels, self._usual)
        if any(face.height >= LARGE_FACE * pixels.shape[0] for face in found):
            return _largest_first(found)
        for size in self._others:
            found += [
                face
                for face in self._at(pixels, size)
                if all(_overlap(face.box, other.box) <= self._one_face_from for other in found)
            ]
        return _largest_first(found)

    def _at(self, pixels: Pixels, size: tuple[int, int]) -> list[Detection]:
        boxes, points = self._scrfd.detect(pixels, input_size=size)
        return [
            Detection(
                (float(b[0]), float(b[1]), float(b[2]), float(b[3])), np.asarray(p, np.float32), float(b[4])
            )
            for b, p in zip(boxes, points, strict=True)
        ]


def _largest_first(found: list[Detection]) -> tuple[Detection, ...]:
    return tuple(sorted(found, key=lambda face: -face.height))


def _overlap(one: Box, other: Box) -> float:
    """Intersection over union 0..1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0.0, width) * max(0.0, height)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return both / (areas - both) if areas > both else 0.0


class ArcFaceExtractor:
    """insightface's recogniser class with the conventions of the pack in place of its guesses."""

    def __init__(
        self, session: InferenceSession, path: Path, model: ModelId, *, mean: float, std: float
    ) -> None:
        """Wrap a loaded recogniser.

        Args:
            session: the model of `path`.
            path: its file, which insightface's class insists on reading.
            model: digest of the file.
            mean: subtracted from each RGB value 0..255.
            std: divides what is left.
        """
        require_opencv()
        from insightface.model_zoo.arcface_onnx import ArcFaceONNX

        self._arcface: Any = ArcFaceONNX(model_file=str(path), session=session.ort)
        self._arcface.input_mean, self._arcface.input_std = mean, std
        self._model = model
        self._dimensions = int(self._arcface.output_shape[-1])
        self._one_by_one = self._arcface.input_shape[0] == 1

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
        batches = [[face] for face in faces] if self._one_by_one else [list(faces)]
        return unit_rows(np.concatenate([self._arcface.get_feat(batch) for batch in batches]))


class AddonLiveness:
    """insightface's liveness addon as one more passive expert of `liveness`."""

    def __init__(self, session: InferenceSession, path: Path) -> None:
        """Wrap the loaded addon.

        Raises:
            ModelMismatch: the model has other inputs or outputs than the addon.
        """
        require_opencv()
        from insightface.addons.liveness import Liveness

        try:
            self._liveness: Any = Liveness(path, session=session.ort)
        except RuntimeError as error:
            raise ModelMismatch(f"{path.name} is not insightface's liveness addon: {error}") from error

    def score(self, pixels: Pixels, box: tuple[float, float, float, float], points: Points) -> float | None:
        """Return the probability of bona fide 0..1, or None where the frame cannot be judged."""
        found = self._liveness.predict(pixels, points)
        return None if found["live_score"] is None else float(found["live_score"])


def unit_rows(rows: npt.NDArray[Any]) -> FeatureRows:
    """Scale each row to unit length.

    Raises:
        Fault: a row is zero or not finite, so the recogniser is broken.
    """
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or (norms < 1e-6).any():
        raise Fault("the recogniser gave features that are no direction; its weights or inputs are broken")
    return np.ascontiguousarray(rows / norms, dtype=np.float32)


def read_manifest(folder: Path) -> dict[str, ManifestTask]:
    """Read insightface's own package manifest, version 2.

    Returns:
        Its tasks `detection`, `recognition` and `verification`, those that are there.

    Raises:
        ModelMismatch: the manifest is missing or damaged.
    """
    require_opencv()
    from insightface.model_zoo.package_manifest import load_model_package

    try:
        package: Any = load_model_package(folder)
    except (OSError, ValueError, TypeError) as error:
        raise ModelMismatch(f"{folder}: {error}") from error
    return {name: _task(task) for name, task in package.tasks.items()}


def _task(task: Any) -> ManifestTask:
    # Untyped upstream: a descriptor with path, sha256 and a metadata mapping.
    conventions = task.metadata["preprocessing"]
    mean, std = (0.0, 1.0) if isinstance(conventions, str) else (conventions["mean"], conventions["std"])
    return ManifestTask(
        task.path, task.sha256 or "", mean, std, int(task.metadata.get("embedding_dimension", 0))
    )


def _face_align() -> Any:
    require_opencv()
    # insightface calls a method of scikit-image that warns of its removal with every face.
    warnings.filterwarnings("ignore", message="`estimate` is deprecated", category=FutureWarning)
    from insightface.utils import face_align

    return face_align
