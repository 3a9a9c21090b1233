from __future__ import annotations

import struct
import threading

import cv2
import numpy as np
import pytest

from hardware.base import SteppedClock
from hardware.camera_browser import BrowserCamera, BrowserLimits
from hardware.errors import CameraGone, CameraTimeout, FrameRateExceeded, FrameRefused
from hardware.types import FrameOrigin


def jpeg(shade: int = 100, width: int = 64, height: int = 48) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), shade, np.uint8))[1].tobytes()


def test_a_pushed_picture_is_read_and_marked_as_from_a_browser() -> None:
    clock = SteppedClock(5)
    with BrowserCamera("s1", clock=clock) as camera:
        assert camera.push(jpeg()) == 1
        frame = camera.read(0.1)
    assert frame.origin is FrameOrigin.BROWSER
    assert frame.sensor == "browser:s1"
    assert (frame.captured_at_ns, frame.sequence, frame.pixels.shape) == (5, 1, (48, 64, 3))


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"", "0 bytes"), (bytes(50_000_000), "50000000 bytes"), (b"\x89PNG\r\n\x1a\n", "no JPEG")],
)
def test_what_is_no_picture_is_refused_on_arrival(data: bytes, why: str) -> None:
    with BrowserCamera() as camera:
        with pytest.raises(FrameRefused, match=why):
            camera.push(data)
        with pytest.raises(CameraTimeout):
            camera.read(0.01)


def test_a_damaged_picture_is_refused_on_reading_and_the_next_one_comes() -> None:
    bomb = bytearray(jpeg())
    at = bomb.index(b"\xff\xc0")
    bomb[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
    with BrowserCamera() as camera:
        camera.push(jpeg()[:200])
        camera.push(bytes(bomb))
        camera.push(jpeg())
        with pytest.raises(FrameRefused, match="truncated"):
            camera.read(0.1)
        with pytest.raises(FrameRefused, match="claims 60000x60000"):
            camera.read(0.1)
        assert camera.read(0.1).sequence == 3


def test_pictures_faster_than_allowed_are_dropped_until_time_passes() -> None:
    clock = SteppedClock()
    with BrowserCamera(limits=BrowserLimits(frames_per_s=10, burst=3), clock=clock) as camera:
        for _ in range(3):
            camera.push(jpeg())
        with pytest.raises(FrameRateExceeded):
            camera.push(jpeg())
        clock.sleep(0.1)
        camera.push(jpeg())


def test_a_slow_reader_gets_the_newest_pictures() -> None:
    with BrowserCamera(limits=BrowserLimits(waiting=2)) as camera:
        for _ in range(5):
            camera.push(jpeg())
        assert [camera.read(0.1).sequence for _ in range(2)] == [4, 5]


def test_a_closed_camera_wants_nothing_and_forgets_everything() -> None:
    camera = BrowserCamera()
    with pytest.raises(CameraGone, match="not wanted"):
        camera.push(jpeg())
    with camera:
        camera.push(jpeg())
        assert camera.is_open
    assert not camera.is_open
    with camera, pytest.raises(CameraTimeout):
        camera.read(0.01)


def test_closing_wakes_a_waiting_reader() -> None:
    camera = BrowserCamera()
    camera.__enter__()
    woken: list[BaseException] = []

    def read() -> None:
        try:
            camera.read(30)
        except CameraGone as error:
            woken.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    camera.__exit__(None, None, None)
    thread.join(5)
    assert len(woken) == 1
