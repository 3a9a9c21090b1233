"""What stands beside the camera and what is remembered of its frames: exposure, lamp, pattern, memory."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from facepay.capture.exposing import ExposureKeeper
from facepay.capture.frame_memory import FrameMemoryFile
from facepay.capture.lamp import RingLamp
from facepay.capture.sensor import SensorPattern, load_pattern, save_pattern
from hardware.base import SystemClock
from hardware.light_ring import LightRing
from hardware.types import Frame, FrameOrigin, SensorId
from liveness.codebook import schedule_of
from liveness.fingerprint import fingerprint_of
from liveness.types import Alarm, Observation, PadResult, Progress, Prompt, PromptKind

PATTERN = (1, -1, 1, 0, -1, 1)


class Noting:
    """A try that only collects alarms."""

    def __init__(self, kind: PromptKind = PromptKind.FLASH) -> None:
        self.prompt = Prompt(kind, 1)
        self.exposure_pattern = PATTERN
        self.alarms: list[Alarm] = []

    def shown(self, at_ns: int, *, refresh_hz: float | None = 60.0) -> None:
        raise AssertionError("equipment only asks for the pattern and notes alarms")

    def observe(self, observation: Observation) -> Progress:
        raise AssertionError("equipment only asks for the pattern and notes alarms")

    def note_alarm(self, alarm: Alarm) -> None:
        self.alarms.append(alarm)

    def conclude(self) -> PadResult:
        raise AssertionError("equipment only asks for the pattern and notes alarms")


class SteppedCamera:
    """Brightness follows the wishes one frame later, or not at all."""

    def __init__(self, *, locks: bool = True, follows: bool = True) -> None:
        self._locks, self._follows = locks, follows
        self._steps, self._shown = 0, 0
        self.exposure_locked = False

    def lock_exposure(self) -> None:
        self.exposure_locked = self._locks

    def unlock_exposure(self) -> None:
        self.exposure_locked = False

    def step_exposure(self, steps: int) -> None:
        self._steps = steps

    def frame(self, number: int) -> Frame:
        level = 100 + (20 * self._shown if self._follows else number % 2)
        self._shown = self._steps
        return frame(np.full((48, 64, 3), level, np.uint8))


def frame(pixels: np.ndarray) -> Frame:
    return Frame(pixels, 0, 0, SensorId("usb-1"), FrameOrigin.DEVICE)


@pytest.mark.parametrize(
    ("camera", "alarms"),
    [
        (SteppedCamera(), []),
        (SteppedCamera(follows=False), [Alarm.EXPOSURE_DID_NOT_FOLLOW]),
        (SteppedCamera(locks=False), []),
    ],
)
def test_brightness_that_does_not_follow_is_an_alarm(camera: SteppedCamera, alarms: list[Alarm]) -> None:
    keeper, attempt = ExposureKeeper(camera), Noting()
    for number in range(30):
        keeper.probe(attempt, camera.frame(number))
    assert attempt.alarms == alarms
    assert not camera.exposure_locked


def test_exposure_is_held_while_the_light_shines_and_freed_after() -> None:
    camera, attempt = SteppedCamera(), Noting()
    keeper = ExposureKeeper(camera)
    keeper.follow(Noting(PromptKind.HOLD))
    assert not camera.exposure_locked
    for _ in range(6):
        keeper.follow(attempt)
    assert camera.exposure_locked
    keeper.free()
    assert not camera.exposure_locked
    assert not attempt.alarms


def test_exposure_that_cannot_be_held_is_an_alarm() -> None:
    keeper, attempt = ExposureKeeper(SteppedCamera(locks=False)), Noting()
    for _ in range(6):
        keeper.follow(attempt)
    assert attempt.alarms == [Alarm.EXPOSURE_NOT_LOCKED]


class Line:
    def __init__(self, *, broken: bool = False) -> None:
        self.sent: list[bytes] = []
        self._broken = broken

    def write(self, data: bytes) -> None:
        if self._broken:
            raise OSError("no line")
        self.sent.append(data)


def test_a_ring_plays_the_schedule_beside_the_capture_and_goes_dark() -> None:
    line = Line()
    lamp = RingLamp(LightRing(line, leds=1), SystemClock())
    before_ns = time.monotonic_ns()
    began_ns = lamp.play(schedule_of(7))
    assert began_ns is not None
    assert before_ns <= began_ns <= time.monotonic_ns()
    lamp.dark()
    assert line.sent[0][6:] != bytes(3)
    assert line.sent[-1][6:] == bytes(3)


def test_a_ring_whose_line_is_broken_shows_no_light() -> None:
    lamp = RingLamp(LightRing(Line(broken=True), leds=1), SystemClock())
    assert lamp.play(schedule_of(7)) is None
    lamp.dark()


def noisy(pattern: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 2.0, pattern.shape)
    return np.clip((120 * (1 + pattern) + noise)[:, :, None].repeat(3, axis=2), 0, 255).astype(np.uint8)


def test_another_sensors_pattern_is_an_alarm(tmp_path: Path) -> None:
    own, other = (np.random.default_rng(seed).normal(0, 0.02, (128, 128)) for seed in (1, 2))
    enrolled = fingerprint_of(noisy(own, 10 + i) for i in range(40))
    assert enrolled is not None
    save_pattern(tmp_path / "camera.npy", enrolled)
    loaded = load_pattern(tmp_path / "camera.npy")
    for pattern, alarms in ((own, []), (other, [Alarm.FINGERPRINT_OF_OTHER_CAMERA])):
        sensor, attempt = SensorPattern(loaded), Noting()
        for i in range(12):
            sensor.add(frame(noisy(pattern, 90 + i)))
        sensor.conclude(attempt)
        assert attempt.alarms == alarms


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\x93NUMPY\x01\x00"])
def test_a_damaged_pattern_is_a_named_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "camera.npy"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="enrol the camera again"):
        load_pattern(path)


def test_frames_are_remembered_over_a_restart_and_forgotten_in_time(tmp_path: Path) -> None:
    day, now = 86_400.0, 1e9
    path, digest = tmp_path / "frames.bloom", b"d" * 32

    def opened(key: bytes = b"k" * 32) -> FrameMemoryFile:
        return FrameMemoryFile(path, key, days=30, capacity=1000, now_s=lambda: now)

    opened().remember(digest)
    assert opened().seen(digest)
    assert not opened(b"x" * 32).seen(digest)
    assert path.stat().st_mode & 0o077 == 0
    now += 31 * day
    opened().remember(b"e" * 32)
    assert opened().seen(digest)
    now += 31 * day
    opened().remember(b"f" * 32)
    assert not opened().seen(digest)
    assert opened().seen(b"e" * 32)


def test_a_file_of_another_size_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "frames.bloom"
    path.write_bytes(b"old")
    memory = FrameMemoryFile(path, b"k" * 32, capacity=1000)
    memory.remember(b"d" * 32)
    assert memory.seen(b"d" * 32)
