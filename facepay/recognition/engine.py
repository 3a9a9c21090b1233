"""Everything that one pack makes of frames: faces, quality, features, candidates and thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from facepay.errors import SettingsError
from facepay.recognition.base import Detector, Extractor, FeatureRows
from facepay.recognition.calibration import Calibration
from facepay.recognition.packs import PackSpec, PassiveKind
from facepay.recognition.quality import Assessment, QualityGate
from facepay.types import ModelId, Pixels
from hardware.inference import InferenceSession


@dataclass(frozen=True, slots=True)
class PassiveModel:
    """One loaded passive liveness network; `crop_scale` times the face box is what it looks at."""

    name: str
    kind: PassiveKind
    session: InferenceSession
    crop_scale: float
    bona_fide: int


@dataclass(frozen=True, slots=True)
class MeshModels:
    """Loaded face landmarks and expression coefficients."""

    landmarks: InferenceSession
    blendshapes: InferenceSession


@dataclass(frozen=True, slots=True)
class LivenessModels:
    """The networks of the pack that liveness needs; `mesh` is None where the pack has none."""

    passive: tuple[PassiveModel, ...]
    mesh: MeshModels | None


class RecognitionEngine:
    """Detector, quality gate and recogniser of one pack, with its calibration.

    Detection runs once a frame in `assess`; `extract` embeds only the faces that were chosen.
    """

    def __init__(
        self,
        spec: PackSpec,
        detector: Detector,
        extractor: Extractor,
        *,
        calibration: Calibration | None,
        liveness: LivenessModels,
        gate: QualityGate | None = None,
    ) -> None:
        self._spec = spec
        self._detector = detector
        self._extractor = extractor
        self._calibration = calibration
        self._liveness = liveness
        self._gate = gate or QualityGate()

    @property
    def spec(self) -> PackSpec:
        """The pack."""
        return self._spec

    @property
    def detector(self) -> Detector:
        """The pack's detector."""
        return self._detector

    @property
    def extractor(self) -> Extractor:
        """The pack's recogniser."""
        return self._extractor

    @property
    def liveness(self) -> LivenessModels:
        """Networks for presentation attack detection."""
        return self._liveness

    @property
    def model(self) -> ModelId:
        """Digest of the recogniser, to which every template is bound."""
        return self._extractor.model

    @property
    def dimensions(self) -> int:
        """Length of a feature row."""
        return self._extractor.dimensions

    @property
    def find_calibration(self) -> Calibration | None:
        """The calibration, or None where the pack was never measured."""
        return self._calibration

    def require_calibration(self) -> Calibration:
        """Return the calibration.

        Raises:
            SettingsError: the pack has none; the text says how to make it.
        """
        if self._calibration is None:
            raise SettingsError(
                f"model pack {self._spec.name} is not calibrated, so no threshold can be stated for it; "
                f"run: facepay calibrate --pack {self._spec.name} --photos DIR"
            )
        return self._calibration

    def assess(self, pixels: Pixels) -> Assessment:
        """Find the face in `uint8[H, W, 3]` BGR and judge whether it is good enough."""
        return self._gate.judge(pixels, self._detector.detect(pixels))

    def extract(self, faces: Sequence[Pixels]) -> FeatureRows:
        """Return `float32[N, D]` unit rows of aligned faces `uint8[112, 112, 3]` BGR."""
        return self._extractor.extract(faces)
