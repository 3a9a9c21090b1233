"""How a face is carried from frame to frame by its landmarks, and what a detection does to it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from liveness.base import Array
from liveness.covering import CoverJudge
from liveness.landmarks import FaceMesh
from liveness.looker import Looker, LookPlan
from liveness.quality import GateLimits
from liveness.types import Box, Look, Observation, Origin

FACE: Box = (100.0, 60.0, 200.0, 160.0)
OTHER: Box = (20.0, 60.0, 60.0, 100.0)
LOOSE: Box = (80.0, 40.0, 220.0, 180.0)
"""As a detector frames a face that turned: the same face, too wide for the landmarks."""
MARKS = {33: (-40, -20), 133: (-20, -20), 362: (20, -20), 263: (40, -20), 4: (0, 5), 61: (-20, 40)}


class PickyNetwork:
    """Sees a face only where a bright square fills the crop as landmarks frame it, four ninths of it."""

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        share = float((inputs["input"] > 0.5).mean())
        side = 256 / 1.5
        points = np.zeros((478, 3), np.float32)
        points[:, :2] = np.linspace(-0.5, 0.5, 478)[:, None] * side + 128
        for number, (x, y) in {**MARKS, 291: (20, 40)}.items():
            points[number, :2] = 128 + x, 128 + y
        presence = 8.0 if abs(share - 4 / 9) < 0.05 else -8.0
        return [points, np.array([presence]), np.zeros(52)]


@pytest.fixture
def looker() -> Looker:
    mesh = FaceMesh(PickyNetwork(), None)
    return Looker(mesh, (), CoverJudge(), limits=GateLimits(), plan=LookPlan())


def look(looker: Looker, number: int, seen: Box | None, *bright: Box) -> Look | None:
    """One frame with bright squares; `seen` is what the detector said, None where it did not run."""
    pixels = np.zeros((240, 320, 3), np.uint8)
    for x1, y1, x2, y2 in bright:
        pixels[int(y1) : int(y2), int(x1) : int(x2)] = 255
    points = _points(seen) if seen else None
    at_ns = number * 33_000_000 + 1
    one = Observation(pixels, at_ns, number, "camera", Origin.REPLAY, seen, points, detected=seen is not None)
    return looker.look(one)


def _points(box: Box) -> np.ndarray:
    x, y, side = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0]
    places = [(-0.18, -0.12), (0.18, -0.12), (0, 0.03), (-0.12, 0.23), (0.12, 0.23)]
    return np.array([(x + side * a, y + side * b) for a, b in places], np.float32)


def test_landmarks_stay_on_a_face_that_the_detector_frames_otherwise(looker: Looker) -> None:
    assert look(looker, 0, FACE, FACE) is not None
    found = look(looker, 1, LOOSE, FACE)
    assert found is not None
    assert found.mesh is not None
    assert looker.followed is not None


def test_a_face_that_is_not_followed_yet_is_taken_as_the_detector_frames_it(looker: Looker) -> None:
    found = look(looker, 0, LOOSE, FACE)
    assert found is not None
    assert found.mesh is None
    assert looker.followed is None


def test_a_face_elsewhere_is_not_looked_for_where_the_last_one_was(looker: Looker) -> None:
    look(looker, 0, FACE, FACE)
    found = look(looker, 1, OTHER, OTHER, FACE)
    assert found is not None
    assert found.mesh is not None
    assert found.mesh.points[:, 0].max() < 80


def test_landmarks_that_were_lost_are_found_again_as_the_detector_frames_the_face(looker: Looker) -> None:
    look(looker, 0, LOOSE, LOOSE)
    found = look(looker, 1, FACE, FACE)
    assert found is not None
    assert found.mesh is not None


def test_a_face_of_long_ago_is_not_followed(looker: Looker) -> None:
    look(looker, 0, FACE, FACE)
    found = look(looker, 30, LOOSE, FACE)
    assert found is not None
    assert found.mesh is None
