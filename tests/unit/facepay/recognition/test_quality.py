from __future__ import annotations

import cv2
import numpy as np
import pytest

from facepay.recognition.quality import QualityGate, pose
from facepay.types import Detection, QualityHint

FRONTAL = np.array([[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]], np.float32)


def frame(brightness: float = 120, noise: float = 40) -> np.ndarray:
    random = np.random.default_rng(0)
    return np.clip(random.normal(brightness, noise, (480, 640, 3)), 0, 255).astype(np.uint8)


def face(height: float = 200, centre: tuple[float, float] = (320, 240), score: float = 0.9) -> Detection:
    scale = height / 112
    points = (FRONTAL - 56) * scale + np.array(centre, np.float32)
    x, y = centre
    half = height / 2
    return Detection(
        (x - 0.4 * height, y - half, x + 0.4 * height, y + half), points.astype(np.float32), score
    )


def hint(*faces: Detection, pixels: np.ndarray | None = None) -> QualityHint:
    return QualityGate().judge(frame() if pixels is None else pixels, faces).quality.hint


def test_a_frontal_sharp_centred_face_is_acceptable() -> None:
    assessment = QualityGate().judge(frame(), (face(),))
    assert assessment.quality.acceptable
    assert 0.0 < assessment.quality.score <= 1.0
    assert assessment.face is not None
    assert assessment.face.shape == (112, 112, 3)


def test_each_fault_has_its_hint() -> None:
    assert hint() is QualityHint.NO_FACE
    assert hint(face(score=0.3)) is QualityHint.NO_FACE
    assert hint(face(), face(180, (560, 240))) is QualityHint.ONE_PERSON
    assert hint(face(60)) is QualityHint.COME_CLOSER
    assert hint(face(460)) is QualityHint.STEP_BACK
    assert hint(face(150, (80, 240))) is QualityHint.CENTRE
    assert hint(face(), pixels=frame(20, 5)) is QualityHint.MORE_LIGHT
    assert hint(face(), pixels=frame(252, 2)) is QualityHint.LESS_LIGHT
    blurred = cv2.GaussianBlur(frame(noise=80), (0, 0), 8)
    assert hint(face(), pixels=blurred) is QualityHint.HOLD_STILL


def test_a_small_face_far_behind_does_not_disturb() -> None:
    assert hint(face(), face(60, (560, 120))) is QualityHint.NONE


@pytest.mark.parametrize("shift", [(18.0, 0.0), (-18.0, 0.0), (0.0, 22.0), (0.0, -20.0)])
def test_a_head_turned_away_is_asked_to_look_here(shift: tuple[float, float]) -> None:
    turned = face()
    turned.points[2] += np.array(shift, np.float32) * 200 / 112
    assert hint(turned) is QualityHint.LOOK_HERE


def test_a_tilted_head_is_still_frontal() -> None:
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    yaw, pitch, roll = pose(((FRONTAL - 56) @ turn.T + 56).astype(np.float32))
    assert roll == pytest.approx(20, abs=1)
    assert abs(yaw) < 0.1
    assert abs(pitch) < 0.1


def test_points_that_are_no_face_ask_to_look_here() -> None:
    broken = Detection((220, 140, 420, 340), np.full((5, 2), 300, np.float32), 0.9)
    assert hint(broken) is QualityHint.LOOK_HERE


def test_a_black_frame_is_no_face() -> None:
    assert hint(pixels=np.zeros((480, 640, 3), np.uint8)) is QualityHint.NO_FACE
