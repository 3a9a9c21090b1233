"""Embedding photo sets: taken up again, sealed on disk, and destroyed at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from facepay.errors import InputUnusable
from facepay.evaluation.datasets import load_folders
from facepay.evaluation.embedding import EmbeddedSet, Fate, embed_photos
from facepay.evaluation.feature_cache import FeatureCache
from facepay.recognition.quality import Assessment
from facepay.types import Detection, Quality, QualityHint


class Whole:
    """A detector that takes any picture which is not black for one face."""

    def detect(self, pixels: np.ndarray) -> tuple[Detection, ...]:
        height, width = pixels.shape[:2]
        points = np.zeros((5, 2), np.float32)
        return (Detection((0, 0, width, height), points, 1.0),) if pixels.mean() > 1 else ()


class Brightness:
    """A stand-in for a pack's engine whose features are the mean colour."""

    model = "ab" * 32
    detector_sha256 = "cd" * 32
    dimensions = 3
    detector = Whole()

    def __init__(self) -> None:
        self.calls = 0

    def judge(self, pixels: np.ndarray, detections: tuple[Detection, ...]) -> Assessment:
        return Assessment(Quality(1.0, QualityHint.NONE), detections[0], pixels)

    def extract(self, faces: Sequence[np.ndarray]) -> np.ndarray:
        self.calls += 1
        mean = faces[0].mean(axis=(0, 1)).astype(np.float32)
        return (mean / np.linalg.norm(mean))[None]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for person, colour in (("ann", (200, 10, 10)), ("bob", (10, 200, 10))):
        (root / person).mkdir(parents=True)
        for shot in range(2):
            picture = np.full((64, 64, 3), colour, np.uint8) + np.uint8(shot)
            cv2.imwrite(str(root / person / f"{shot}.png"), picture)
    cv2.imwrite(str(root / "bob" / "dark.png"), np.zeros((64, 64, 3), np.uint8))
    (root / "ann" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut short")
    return root


def embed(root: Path, cache: Path, engine: Brightness) -> EmbeddedSet:
    features = FeatureCache(cache, engine)
    try:
        return embed_photos(load_folders(root), engine, features)
    finally:
        features.close(destroy=False)


def test_faceless_and_broken_photos_are_told_apart(photos: Path, tmp_path: Path) -> None:
    embedded = embed(photos, tmp_path / "cache", Brightness())
    assert embedded.names == ("ann", "bob")
    assert embedded.identity == [0, 0, 1, 1]
    assert {photo.path.name: fate for photo, fate in embedded.failed} == {
        "dark.png": Fate.NO_FACE,
        "broken.jpg": Fate.UNREADABLE,
    }


def test_a_second_run_takes_features_from_the_cache(photos: Path, tmp_path: Path) -> None:
    first = embed(photos, tmp_path / "cache", Brightness())
    again = Brightness()
    second = embed(photos, tmp_path / "cache", again)
    assert again.calls == 0
    assert np.array_equal(first.features, second.features)
    assert first.digest == second.digest


def test_another_model_does_not_take_the_cached_features(photos: Path, tmp_path: Path) -> None:
    embed(photos, tmp_path / "cache", Brightness())
    other = Brightness()
    other.model = "ef" * 32
    embed(photos, tmp_path / "cache", other)
    assert other.calls == 4


def test_nothing_on_disk_shows_a_template(photos: Path, tmp_path: Path) -> None:
    embedded = embed(photos, tmp_path / "cache", Brightness())
    stored = b"".join(path.read_bytes() for path in (tmp_path / "cache").iterdir())
    assert not [row for row in embedded.features if row.tobytes()[:8] in stored]


def test_altered_entries_are_measured_again(photos: Path, tmp_path: Path) -> None:
    embed(photos, tmp_path / "cache", Brightness())
    for entry in (tmp_path / "cache").glob("*.sealed"):
        entry.write_bytes(entry.read_bytes()[:-1])
    again = Brightness()
    embed(photos, tmp_path / "cache", again)
    assert again.calls == 4


def test_closing_destroys_key_and_features_when_told(photos: Path, tmp_path: Path) -> None:
    embed(photos, tmp_path / "cache", Brightness())
    FeatureCache(tmp_path / "cache", Brightness()).close(destroy=True)
    assert not (tmp_path / "cache").exists()


def test_a_changed_photo_is_measured_anew(photos: Path, tmp_path: Path) -> None:
    embed(photos, tmp_path / "cache", Brightness())
    cv2.imwrite(str(photos / "ann" / "0.png"), np.full((64, 64, 3), (10, 10, 200), np.uint8))
    again = Brightness()
    embed(photos, tmp_path / "cache", again)
    assert again.calls == 1


def test_a_photo_that_leads_nowhere_is_told_apart(photos: Path, tmp_path: Path) -> None:
    (photos / "bob" / "gone.jpg").symlink_to("nowhere")
    fates = {photo.name: fate for photo, fate in embed(photos, tmp_path / "cache", Brightness()).failed}
    assert fates["gone.jpg"] is Fate.UNREADABLE


def test_two_runs_at_once_do_not_share_a_cache(tmp_path: Path) -> None:
    first = FeatureCache(tmp_path / "cache", Brightness())
    with pytest.raises(InputUnusable, match="another run"):
        FeatureCache(tmp_path / "cache", Brightness())
    first.close(destroy=True)
    FeatureCache(tmp_path / "cache", Brightness()).close(destroy=True)


def test_a_cache_that_takes_no_more_says_where(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(InputUnusable, match="cannot keep the features: Not a directory"):
        FeatureCache(tmp_path / "data" / "cache", Brightness())


def test_a_folder_without_faces_is_refused(tmp_path: Path) -> None:
    for person in ("ann", "bob"):
        (tmp_path / "dark" / person).mkdir(parents=True)
        for shot in range(2):
            cv2.imwrite(str(tmp_path / "dark" / person / f"{shot}.png"), np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(InputUnusable, match="could be embedded"):
        embed(tmp_path / "dark", tmp_path / "cache", Brightness())
