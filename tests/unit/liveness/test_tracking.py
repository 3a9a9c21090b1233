"""Skin that is followed from frame to frame, and what it tells of the surface it is on."""

from __future__ import annotations

import cv2
import numpy as np

from liveness.following import TurnFollower
from liveness.sheet import relief_of
from liveness.tracking import LEAST_POINTS, SEEDS, SkinTracker
from liveness.types import Floats, Mesh, Pixels, Pose, Relief

CENTRE = np.array([160.0, 120.0])


def picture(seed: int = 1) -> Pixels:
    """Texture without any face: the tracker knows nothing of faces."""
    noise = np.random.default_rng(seed).integers(0, 255, (240, 320), dtype=np.uint8)
    return np.asarray(cv2.cvtColor(cv2.GaussianBlur(noise, (0, 0), 2.0), cv2.COLOR_GRAY2BGR), dtype=np.uint8)


def mesh(shift: float = 0.0, yaw: float = 0.0) -> Mesh:
    random = np.random.default_rng(3)
    points = np.column_stack([random.uniform(-40, 40, (478, 2)) + CENTRE, random.uniform(-20, 20, 478)])
    for number, (x, y) in {33: (-35, -20), 133: (-15, -20), 362: (15, -20), 263: (35, -20)}.items():
        points[number, :2] = CENTRE[0] + x, CENTRE[1] + y
    points[10, :2], points[152, :2] = (160, 70), (160, 170)
    points[:, 0] += shift
    return Mesh(points.astype(np.float32), 0.99, np.zeros(52, np.float32), Pose(yaw, 0.0, 0.0))


def shifted(pixels: Pixels, by: float) -> Pixels:
    matrix = np.array([[1, 0, by], [0, 1, 0]], dtype=np.float32)
    moved = cv2.warpAffine(pixels, matrix, (320, 240), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, dtype=np.uint8)


def stretched(pixels: Pixels) -> Pixels:
    """Wider, and slanted, so that something is left to compare with depth."""
    matrix = np.array([[1.05, 0.04, -12], [0, 1, 0]], dtype=np.float32)
    moved = cv2.warpAffine(pixels, matrix, (320, 240), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, dtype=np.uint8)


def measured(follower: TurnFollower, pixels: Pixels, found: Mesh | None) -> Relief | None:
    return follower.settle(pixels, found, follower.follow(pixels))


def test_points_go_where_the_picture_goes() -> None:
    first = picture()
    tracker = SkinTracker(first, mesh())
    start, now = tracker.points, None
    for step in range(1, 6):
        now = tracker.follow(shifted(first, 3.0 * step))
    assert now is not None
    moved = (now - start)[np.isfinite(now).all(axis=1)]
    assert len(moved) > 0.9 * len(SEEDS)
    assert np.abs(np.median(moved, axis=0) - (15.0, 0.0)).max() < 0.3


def test_another_picture_is_a_lost_face() -> None:
    tracker = SkinTracker(picture(1), mesh())
    assert tracker.follow(picture(2)) is None
    assert tracker.follow(picture(2)) is None


def test_a_picture_without_texture_loses_nobody_into_an_error() -> None:
    grey = np.full((240, 320, 3), 128, np.uint8)
    follower = TurnFollower()
    assert measured(follower, grey, mesh()) is None
    measured(follower, grey, mesh())


def test_following_begins_on_a_neutral_face_only() -> None:
    follower, first = TurnFollower(), picture()
    assert measured(follower, first, mesh(yaw=20.0)) is None
    assert measured(follower, first, mesh(yaw=2.0)) is None
    assert measured(follower, shifted(first, 2.0), mesh(2.0, yaw=4.0)) is not None


def test_skin_is_followed_through_moments_without_landmarks() -> None:
    follower, first = TurnFollower(), picture()
    measured(follower, first, mesh(yaw=2.0))
    for step in range(1, 4):
        relief = measured(follower, shifted(first, 2.0 * step), None)
        assert relief is not None
        assert relief.points > 0.9 * len(SEEDS)


def test_the_landmarks_say_to_which_side_depth_counts() -> None:
    one, first = TurnFollower(), picture()
    other = TurnFollower()
    for follower in (one, other):
        measured(follower, first, mesh(yaw=0.0))
    moved = stretched(first)
    left, right = measured(one, moved, mesh(yaw=4.0)), measured(other, moved, mesh(yaw=-4.0))
    assert left is not None
    assert right is not None
    assert left.share == -right.share != 0.0


def test_too_few_points_tell_nothing() -> None:
    start = mesh().points[SEEDS, :2]
    now: Floats = start + np.float32(1.0)
    now[LEAST_POINTS - 1 :] = np.nan
    assert relief_of(mesh().points, start, now, towards=1.0) is None


def test_no_movement_and_numbers_that_are_none_tell_nothing() -> None:
    start = mesh().points[SEEDS, :2]
    assert relief_of(mesh().points, start, start, towards=1.0) is None
    bad = mesh().points.copy()
    bad[:, 2] = np.nan
    assert relief_of(bad, start, start * np.float32(1.01), towards=1.0) is None
