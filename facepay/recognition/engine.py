"""Everything that one pack makes of frames: faces, quality, features, candidates and thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from facepay.errors import SettingsError
from facepay.recognition.base import Detector, Extractor, FeatureRows
from facepay.recognition.calibration import Calibration
from facepay.recognition.packs import PackSpec, PassiveKind
from facepay.recognition.quality import Assessment, QualityGate
from facepay.types import Detection, ModelId, Pixels
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
    """Loaded face landmarks and expression coefficients; None where one network answers both."""

    landmarks: InferenceSession
    blendshapes: InferenceSession | None


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
        detector_sha256: str,
        calibration: Calibration | None,
        liveness: LivenessModels,
        gate: QualityGate | None = None,
    ) -> None:
        self._spec = spec
        self._detector = detector
        self._extractor = extractor
        self._detector_sha256 = detector_sha256
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
    def detector_sha256(self) -> str:
        """Digest of the detector's weights."""
        return self._detector_sha256

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
        """The calibration, perhaps a borrowed one; None where none was asked for."""
        return self._calibration

    def require_calibration(self, *, production: bool = False) -> Calibration:
        """Return the calibration.

        Args:
            production: whether real money hangs on it; then a borrowed one does not do.

        Raises:
            SettingsError: the pack has none, or only a borrowed one; the text says how to make it.
        """
        calibration, name = self._calibration, self._spec.name
        if calibration is None or (production and calibration.borrowed):
            raise SettingsError(
                f"model pack {name} is not calibrated, so no threshold can be stated for it; "
                f"before it takes money, run: facepay calibrate --pack {name} --photos DIR"
            )
        return calibration

    def assess(self, pixels: Pixels) -> Assessment:
        """Find the face in `uint8[H, W, 3]` BGR and judge whether it is good enough."""
        return self.judge(pixels, self._detector.detect(pixels))

    def judge(self, pixels: Pixels, detections: tuple[Detection, ...]) -> Assessment:
        """Judge faces that were found already."""
        return self._gate.judge(pixels, detections)

    def extract(self, faces: Sequence[Pixels]) -> FeatureRows:
        """Return `float32[N, D]` unit rows of aligned faces `uint8[112, 112, 3]` BGR."""
        return self._extractor.extract(faces)
