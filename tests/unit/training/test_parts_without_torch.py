"""What training is made of, as far as it needs no PyTorch: people, light, scenes, lids and the pool."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from training.degrade import degrade
from training.faces import Face, Seen
from training.lids import close_eyes
from training.people import is_held_out, photos_of
from training.pool import Pool, fill
from training.recordings import recordings
from training.scenes import SHAPES, Checkout


def _folder_of_people(folder: Path, count: int) -> Path:
    for number in range(count):
        person = folder / f"person_{number:03}"
        person.mkdir(parents=True)
        picture = np.full((250, 250, 3), 40 + number % 100, np.uint8)
        cv2.circle(picture, (125, 125), 60, (90, 120, 200), -1)
        cv2.imwrite(str(person / "0.png"), picture)
    return folder


def _seen(folder: Path) -> list[Seen]:
    face = Face(
        np.array([75, 65, 175, 185], np.float32),
        np.array([[105, 105], [145, 105], [125, 130], [108, 155], [142, 155]], np.float32),
        0.95,
    )
    return [Seen(photo, (face,)) for photo in photos_of(folder)]


def test_about_a_fifth_of_the_people_is_kept_out_and_always_the_same() -> None:
    names = [f"person_{number}" for number in range(2_000)]
    kept = [name for name in names if is_held_out(name)]
    assert 0.17 < len(kept) / len(names) < 0.23
    assert kept == [name for name in names if is_held_out(name)]


def test_a_folder_without_people_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nobody", "utf-8")
    with pytest.raises(SystemExit, match="no folders of photos"):
        photos_of(tmp_path)


def test_recordings_are_trained_on_or_kept_out_never_both(tmp_path: Path) -> None:
    for name in ("one.mp4", "two.mp4", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    used, kept = recordings(tmp_path, ["two*"]), recordings(tmp_path, ["two*"], kept=True)
    assert [path.name for path in used] == ["one.mp4"]
    assert [path.name for path in kept] == ["two.mp4"]


def test_degradation_keeps_size_and_is_repeatable() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (112, 112, 3), dtype=np.uint8)
    made = [degrade(np.random.default_rng(seed), picture) for seed in range(40)]
    assert all(one.shape == picture.shape and one.dtype == np.uint8 for one in made)
    np.testing.assert_array_equal(made[7], degrade(np.random.default_rng(7), picture))
    assert any((one != picture).any() for one in made)


@pytest.mark.parametrize("shape", SHAPES)
def test_scenes_carry_the_faces_to_where_they_are_drawn(tmp_path: Path, shape: tuple[int, int]) -> None:
    checkout = Checkout(_seen(_folder_of_people(tmp_path, 6)))
    height, width = shape
    for seed in range(12):
        scene = checkout.draw(np.random.default_rng(seed), shape)
        assert scene.pixels.shape == (height, width, 3)
        assert len(scene.boxes) == len(scene.points)
        for box, points in zip(scene.boxes, scene.points, strict=True):
            # Points lie within their box, the eyes above the mouth but for some turning.
            assert (points[:, 0] > box[0] - 8).all()
            assert (points[:, 0] < box[2] + 8).all()
            assert points[:2, 1].mean() < points[3:, 1].mean()


def test_scene_sides_suit_the_coarsest_grid() -> None:
    assert all(side % 32 == 0 for shape in SHAPES for side in shape)


def test_closing_the_eyes_moves_only_what_lies_between_brow_and_lower_lid() -> None:
    picture = np.random.default_rng(2).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    points = np.full((478, 3), -1000, np.float32)
    upper, lower = (33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)
    for index, (top, bottom) in enumerate(zip(upper, lower, strict=True)):
        points[top, :2], points[bottom, :2] = (60 + 6 * index, 110), (60 + 6 * index, 124)
    for index, brow in enumerate((46, 53, 52, 65, 55)):
        points[brow, :2] = (60 + 12 * index, 90)
    closed = close_eyes(picture, points, 1.0)
    moved = np.argwhere((closed != picture).any(axis=2))
    assert len(moved)
    assert moved[:, 0].min() >= 90
    assert moved[:, 0].max() <= 125
    assert moved[:, 1].max() <= 110
    np.testing.assert_array_equal(close_eyes(picture, points, 0.0), picture)


def test_a_pool_goes_on_where_it_stopped(tmp_path: Path) -> None:
    made: list[int] = []

    def make(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
        made.append(rows)
        return {"values": rng.random((rows, 3))}

    fill(tmp_path / "pool", 20, make, shard=10)
    first = np.load(tmp_path / "pool" / "0000" / "values.npy")
    fill(tmp_path / "pool", 30, make, shard=10)
    assert made == [10, 10, 10]
    np.testing.assert_array_equal(first, np.load(tmp_path / "pool" / "0000" / "values.npy"))
    drawn = Pool(tmp_path / "pool").draw(np.random.default_rng(3), 7)
    assert drawn["values"].shape == (7, 3)


def test_an_empty_pool_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "pool").mkdir()
    with pytest.raises(SystemExit, match="make the pool first"):
        Pool(tmp_path / "pool").draw(np.random.default_rng(1), 1)
