"""A cover over mouth and chin is seen by its colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from liveness.covering import _INNER, _LOWER, _OUTER, lower_face
from liveness.quality import GateLimits, gate, measure_quality
from liveness.simulation.drawn import BOX, drawn_face
from liveness.types import Hint, Mesh, Pixels, Pose

SKIN, LIPS = (130, 150, 200), (110, 110, 200)
POINTS = np.array([[136, 104], [184, 104], [160, 130], [144, 154], [176, 154]], np.float32)


def mesh() -> Mesh:
    """Forehead above, lips and chin below, each landmark on a spot of its own kind."""
    points = np.zeros((478, 3), np.float32)
    points[:, :2] = 160, 40
    points[_LOWER, :2] = 160, 200
    points[_OUTER, :2], points[_INNER, :2] = (160, 156), (160, 164)
    return Mesh(points, 0.99, np.zeros(52, np.float32), Pose(0.0, 0.0, 0.0))


def face(lips: tuple[int, int, int] = LIPS, lower: tuple[int, int, int] = SKIN) -> Pixels:
    picture = np.full((240, 320, 3), SKIN, np.uint8)
    picture[120:] = lower
    picture[150:170] = lips
    return picture


def test_a_bare_face_is_one_skin_with_redder_lips() -> None:
    seen = lower_face(face(), mesh())
    assert seen.lips > 5
    assert seen.tint < 1


@pytest.mark.parametrize(
    "cover", [(200, 150, 90), (240, 240, 240), (30, 30, 30)], ids=["blue", "white", "black"]
)
def test_a_cover_has_no_lips_and_another_tint(cover: tuple[int, int, int]) -> None:
    seen = lower_face(face(cover, cover), mesh())
    assert seen.lips < 1
    assert seen.tint > 10


def test_landmarks_outside_the_frame_are_no_error() -> None:
    far = replace(mesh(), points=mesh().points + 5000)
    assert np.isfinite(lower_face(face(), far).tint)


def test_both_colours_together_ask_to_uncover_and_neither_alone() -> None:
    quality = replace(
        measure_quality(drawn_face(), BOX, POINTS, mesh=None, motion_iod_per_s=None), inter_eye_px=70.0
    )
    limits = GateLimits()
    assert gate(replace(quality, lip_redness=0.0, lower_tint=30.0), limits) is Hint.UNCOVER
    assert gate(replace(quality, lip_redness=5.0, lower_tint=30.0), limits) is not Hint.UNCOVER
    assert gate(replace(quality, lip_redness=0.0, lower_tint=3.0), limits) is not Hint.UNCOVER
