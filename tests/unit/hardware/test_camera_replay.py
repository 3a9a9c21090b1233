from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from hardware.base import PatientClock, SteppedClock
from hardware.camera_replay import ReplayCamera, ReplayOptions
from hardware.errors import CameraGone, CameraNotFound, CameraTimeout
from hardware.types import FrameOrigin


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "drawn.png"
    pixels = np.random.default_rng(3).integers(0, 255, (60, 50, 3), np.uint8)
    cv2.imwrite(str(path), cv2.resize(pixels, (200, 240)))
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 30, (64, 48))
    for shade in range(5):
        writer.write(np.full((48, 64, 3), shade * 40, np.uint8))
    writer.release()
    return path


def test_a_still_is_marked_as_replay_and_moves(photo: Path) -> None:
    with ReplayCamera(photo, clock=SteppedClock()) as camera:
        first, second = camera.read(1.0), camera.read(1.0)
    assert first.origin is FrameOrigin.REPLAY
    assert camera.identity.is_virtual
    assert camera.is_simulated_still
    assert first.pixels.shape == (480, 640, 3)
    assert not np.array_equal(first.pixels, second.pixels)
    assert second.captured_at_ns - first.captured_at_ns == pytest.approx(1e9 / 30, abs=1)


def test_the_same_seed_gives_the_same_frames(photo: Path) -> None:
    def frames(seed: int) -> list[bytes]:
        with ReplayCamera(photo, ReplayOptions(seed=seed), SteppedClock()) as camera:
            return [camera.read(1.0).pixels.tobytes() for _ in range(3)]

    assert frames(5) == frames(5)
    assert frames(5) != frames(6)


def test_frames_nobody_fetched_in_time_are_dropped(photo: Path) -> None:
    clock = SteppedClock()
    with ReplayCamera(photo, clock=clock) as camera:
        assert camera.read(1.0).sequence == 0
        clock.sleep(1.0)
        assert camera.read(1.0).sequence == 30


def test_a_frame_due_too_late_is_a_timeout_and_the_next_call_succeeds(photo: Path) -> None:
    clock = SteppedClock()
    with ReplayCamera(photo, ReplayOptions(frames_per_s=1.0), clock) as camera:
        camera.read(0.1)
        with pytest.raises(CameraTimeout):
            camera.read(0.1)
        assert clock.now_ns() == 100_000_000
        assert camera.read(1.0).sequence == 1


def test_a_video_ends_or_starts_again(video: Path) -> None:
    with ReplayCamera(video, ReplayOptions(loop=False), SteppedClock()) as camera:
        assert len([camera.read(1.0) for _ in range(5)]) == 5
        with pytest.raises(CameraGone, match="ended"):
            camera.read(1.0)
    with ReplayCamera(video, clock=SteppedClock()) as camera:
        shades = [int(camera.read(1.0).pixels.mean()) for _ in range(6)]
    assert shades[5] == shades[0]
    assert not camera.is_simulated_still


def test_a_folder_of_photos_shows_one_after_the_other(photo: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "earlier.png"), np.zeros((100, 100, 3), np.uint8))
    options = ReplayOptions(hold_frames=1)
    (tmp_path / "readme.txt").write_text("not a photo")
    with ReplayCamera(tmp_path, options, SteppedClock()) as camera:
        shades = [camera.read(1.0).pixels.mean() for _ in range(4)]
    assert shades[0] == pytest.approx(shades[2], abs=3)
    assert abs(shades[0] - shades[1]) > 3


def test_what_cannot_be_replayed_is_named(tmp_path: Path, photo: Path) -> None:
    with pytest.raises(CameraNotFound, match=r"absent\.mp4"), ReplayCamera(tmp_path / "absent.mp4"):
        pass
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(CameraNotFound, match="empty"), ReplayCamera(empty):
        pass
    with pytest.raises(CameraGone, match="not open"):
        ReplayCamera(photo).read(0.1)


def test_a_truncated_photo_ends_the_replay_by_name(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    path.write_bytes(cv2.imencode(".jpg", np.zeros((100, 100, 3), np.uint8))[1].tobytes()[:300])
    with ReplayCamera(path, clock=SteppedClock()) as camera, pytest.raises(CameraGone, match=r"cut\.jpg"):
        camera.read(1.0)


def test_a_busy_machine_gets_every_frame_by_a_patient_clock(photo: Path) -> None:
    machine = SteppedClock(5)
    with ReplayCamera(photo, clock=PatientClock(machine)) as camera:
        first = camera.read(1.0)
        machine.sleep(7.0)
        second = camera.read(1.0)
    assert second.sequence == first.sequence + 1
    assert second.captured_at_ns - first.captured_at_ns == pytest.approx(1e9 / 30, abs=1)


def test_a_patient_clock_is_never_faster_than_the_machines() -> None:
    machine = SteppedClock(5)
    clock = PatientClock(machine)
    clock.sleep(2.0)
    assert clock.now_ns() == machine.now_ns() == 5 + 2_000_000_000
