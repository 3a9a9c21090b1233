"""Best faces, the stream watch and the stage clock, without a camera."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from facepay.capture import CaptureLimits, StageTimes
from facepay.capture.best import BestFaces
from facepay.capture.watch import StreamWatch
from facepay.types import Quality, QualityHint, Sample
from hardware.errors import CameraFrozen, CameraRefused
from hardware.types import CameraIdentity, Frame, FrameOrigin, SensorId

CAMERA = CameraIdentity(SensorId("usb-1"), FrameOrigin.DEVICE, "uvcvideo", "Eye", "7", False)


def sample(at_s: float, score: float) -> Sample:
    face = np.zeros((112, 112, 3), np.uint8)
    return Sample(face, Quality(score, QualityHint.NONE), round(at_s * 1e9))


def frame(value: int, origin: FrameOrigin = FrameOrigin.DEVICE, sensor: str = "usb-1") -> Frame:
    return Frame(np.full((48, 64, 3), value, np.uint8), 0, 0, SensorId(sensor), origin)


def test_the_best_of_each_window_is_kept_and_spread_over_time() -> None:
    best = BestFaces(1.0)
    for at_s, score in ((0.1, 0.2), (0.5, 0.9), (1.2, 0.4), (2.3, 0.5), (3.9, 0.1), (4.5, 0.3)):
        best.offer(sample(at_s, score))
    chosen = best.chosen(3)
    assert [s.captured_at_ns / 1e9 for s in chosen] == [0.5, 2.3, 4.5]
    assert chosen[0].quality.score == 0.9


def test_a_face_is_final_when_the_next_window_begins() -> None:
    best = BestFaces(1.0)
    finals = [
        best.offer(sample(at_s, score)) for at_s, score in ((0.1, 0.2), (0.5, 0.9), (1.2, 0.4), (1.3, 0.1))
    ]
    assert [found and found.quality.score for found in finals] == [None, None, 0.9, None]


def test_one_face_is_the_best_of_all() -> None:
    best = BestFaces(1.0)
    best.offer(sample(0, 0.2))
    best.offer(sample(2, 0.8))
    assert best.chosen(1)[0].quality.score == 0.8
    assert BestFaces(1.0).chosen(3) == ()


def test_a_picture_that_never_changes_is_a_frozen_camera() -> None:
    watch = StreamWatch(CAMERA, CaptureLimits(frozen_frames=3))
    with pytest.raises(CameraFrozen, match="unplug"):
        for _ in range(4):
            watch.require_fine(frame(90))


def test_frames_of_a_forbidden_origin_are_refused() -> None:
    limits = CaptureLimits(origins=frozenset({FrameOrigin.DEVICE}))
    replay = dataclasses.replace(CAMERA, origin=FrameOrigin.REPLAY)
    with pytest.raises(CameraRefused, match="replay camera are not allowed"):
        StreamWatch(replay, limits).require_fine(frame(90, FrameOrigin.REPLAY))


def test_another_sensor_in_the_middle_is_refused() -> None:
    watch = StreamWatch(CAMERA, CaptureLimits())
    watch.require_fine(frame(90))
    with pytest.raises(CameraRefused, match="changed"):
        watch.require_fine(frame(90, sensor="usb-2"))


def test_dark_is_told_from_light() -> None:
    watch = StreamWatch(CAMERA, CaptureLimits())
    watch.require_fine(frame(3))
    assert watch.dark
    watch.require_fine(frame(120))
    assert not watch.dark


def test_stages_add_up() -> None:
    ticks = iter([0, 2_000_000, 5_000_000, 6_000_000])
    times = StageTimes(lambda: next(ticks))
    for _ in range(2):
        with times.stage("detect"):
            pass
    assert times.as_table() == {"detect": 3.0}
    assert times.runs("detect") == 2
