"""The real networks on real recordings: accepted, refused, or honestly undecided."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from hardware.inference import load_session
from hardware.motion_simulation import HandHeldStill
from liveness.challenge import Sale
from liveness.covering import CoverJudge
from liveness.engine import LivenessEngine, LivenessModels, Scene
from liveness.landmarks import FaceMesh, five_points
from liveness.passive import MiniFasPair
from liveness.policy import LivenessPolicy
from liveness.quality import GateLimits
from liveness.simulation.covers import Cover, covered
from liveness.simulation.relight import Lamp, Relighter, Surface
from liveness.types import Observation, Origin, PadResult, PadStatus, Pixels, Reason, Tier

pytestmark = [pytest.mark.models, pytest.mark.photos]


@pytest.fixture(scope="module")
def lab(models_dir: Path) -> Lab:
    return Lab(models_dir)


class Lab:
    """Detector and engine over the shared weights."""

    def __init__(self, models: Path) -> None:
        self._detector = cv2.FaceDetectorYN.create(
            str(models / "face_detection_yunet_2023mar.onnx"), "", (320, 320), 0.7
        )
        self.mesh = FaceMesh(
            load_session(models / "mp_face_landmarks_478.onnx"),
            load_session(models / "mp_face_blendshapes_146x2.onnx"),
        )
        pair = MiniFasPair(
            load_session(models / "2.7_80x80_MiniFASNetV2.onnx"),
            load_session(models / "4_0_0_80x80_MiniFASNetV1SE.onnx"),
        )
        self._engine = LivenessEngine(
            LivenessModels(self.mesh, (pair,)), LivenessPolicy(), secret=b"a secret for tests"
        )
        self._tries = 0

    def detect(self, pixels: Pixels) -> list[tuple[tuple[float, float, float, float], np.ndarray]]:
        scale = 320 / max(pixels.shape[:2])
        small = cv2.resize(pixels, None, fx=scale, fy=scale)
        self._detector.setInputSize((small.shape[1], small.shape[0]))
        _, faces = self._detector.detect(small)
        found = []
        for face in [] if faces is None else sorted(faces, key=lambda f: -f[2] * f[3]):
            x, y, w, h, *points = face[:14] / scale
            found.append(((x, y, x + w, y + h), np.array(points, np.float32).reshape(5, 2)))
        return found

    def run(self, frames: Iterator[Pixels], tier: Tier, surface: Surface | None = None) -> PadResult:
        """One try; the detector runs on every tenth frame and on loss, the mesh follows in between."""
        self._tries += 1
        sale = Sale(self._tries.to_bytes(16, "big"), 500, "EUR", "till")
        tried = self._engine.open(tier, sale, Scene(Origin.REPLAY))
        lamp, face, number = None, None, 0
        for i, recorded in enumerate(frames):
            at = round(i * 1e9 / 30) + 1
            pixels = lamp.relight(recorded, face[1], at_ns=at) if lamp and face else recorded
            looked = i % 10 == 0 or face is None
            faces = self.detect(pixels) if looked else []
            box, points = faces[0] if faces else (None, None)
            progress = tried.observe(
                Observation(pixels, at, i, "clip", Origin.REPLAY, box, points, detected=looked)
            )
            face = progress.face
            if progress.prompt.number != number:
                number = progress.prompt.number
                tried.shown(at + 20_000_000)
                if progress.prompt.schedule is not None and surface is not None:
                    lamp = Relighter(Lamp(progress.prompt.schedule, at + 20_000_000), surface)
            if progress.finished:
                break
        return tried.conclude()


def video(path: Path, count: int = 60) -> Iterator[Pixels]:
    capture = cv2.VideoCapture(str(path))
    for _ in range(count):
        found, pixels = capture.read()
        if not found:
            return
        yield pixels


def still(path: Path, count: int = 60) -> Iterator[Pixels]:
    held = HandHeldStill(cv2.imread(str(path)), (640, 480), 1)
    return (held.frame() for _ in range(count))


def recording(folder: Path, number: int) -> Path:
    """One of the recordings, by its place: their names are names of people."""
    return sorted(folder.glob("*.mp4"))[number]


@pytest.mark.parametrize("number", [0, 1])
def test_person_before_a_lit_display_reaches_tier_one(lab: Lab, photos_dir: Path, number: int) -> None:
    result = lab.run(video(recording(photos_dir / "bona_fide", number)), Tier.ONE, Surface.FACE)
    assert (result.status, result.level) == (PadStatus.ACCEPTED, Tier.ONE), result.reasons


def test_person_without_light_reaches_tier_zero_only(lab: Lab, photos_dir: Path) -> None:
    result = lab.run(video(recording(photos_dir / "bona_fide", 0)), Tier.ONE)
    assert (result.status, result.level) == (PadStatus.NON_RESPONSE, Tier.ZERO)


@pytest.mark.parametrize("number", [0, 1])
def test_replay_on_a_display_is_refused(lab: Lab, photos_dir: Path, number: int) -> None:
    result = lab.run(video(recording(photos_dir / "attacks" / "replay", number)), Tier.ONE, Surface.DISPLAY)
    assert result.status is PadStatus.REFUSED


def test_print_is_refused_though_it_reflects_the_light(lab: Lab, photos_dir: Path) -> None:
    result = lab.run(still(photos_dir / "attacks" / "print" / "image_F1.jpg", 90), Tier.ONE, Surface.PAPER)
    assert result.status is PadStatus.REFUSED


def test_photo_file_passes_tier_zero_and_nothing_above(lab: Lab, photos_dir: Path) -> None:
    # A clean file is what the passive networks cannot tell from a person: the stated limit of tier 0.
    path = sorted((photos_dir / "gallery").glob("*.png"))[0]
    result = lab.run(still(path), Tier.ONE)
    assert result.status is not PadStatus.ACCEPTED
    assert result.level in (None, Tier.ZERO)


def test_a_face_with_a_mask_never_passes_and_is_nobodys_attack(lab: Lab, photos_dir: Path) -> None:
    for path in sorted((photos_dir / "masked").iterdir())[::20]:
        result = lab.run(still(path, 25), Tier.ZERO)
        assert (result.status, result.level) == (PadStatus.NON_RESPONSE, None)
        assert {Reason.COVERED, Reason.NOT_ENOUGH_FRAMES}.intersection(result.reasons)


@pytest.mark.parametrize(
    "cover", [Cover.SCARF, Cover.HAND, Cover.DARK_GLASSES], ids=lambda cover: cover.value
)
def test_a_bare_face_passes_and_a_covered_one_does_not(lab: Lab, photos_dir: Path, cover: Cover) -> None:
    photo = cv2.imread(str(photos_dir / "bona_fide" / "image_T1.jpg"))
    mesh = lab.mesh.find(photo, *lab.detect(photo)[0])
    assert mesh is not None
    judge = CoverJudge()
    for picture, hidden in ((photo, False), (covered(photo, mesh.points, cover, seed=1), True)):
        seen = judge.judge(picture, five_points(mesh))
        assert seen is not None
        assert (max(seen.mouth, seen.eyes) > GateLimits().max_covered) is hidden


def test_mesh_follows_the_face_between_detections(lab: Lab, photos_dir: Path) -> None:
    pixels = next(video(recording(photos_dir / "bona_fide", 1)))
    box, points = lab.detect(pixels)[0]
    mesh = lab.mesh.find(pixels, box, points)
    assert mesh is not None
    eye_distance = float(np.hypot(*(points[1] - points[0])))
    assert np.abs(five_points(mesh) - points).max() < 0.3 * eye_distance


def test_nothing_in_view_is_no_mesh(lab: Lab, photos_dir: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    points = np.array([[280, 200], [360, 200], [320, 240], [290, 280], [350, 280]], np.float32)
    assert lab.mesh.find(noise, (240.0, 150.0, 400.0, 330.0), points) is None
