from __future__ import annotations

import threading
from pathlib import Path
from queue import Queue

import numpy as np
import pytest

from hardware.camera_opencv import DeviceOptions, OpenCvCamera, open_device
from hardware.errors import CameraGone, CameraNotFound, CameraRefused, CameraTimeout
from hardware.types import Frame, FrameOrigin
from hardware.v4l2 import VideoDevice, describe_device


class ScriptedDevice:
    """A device of the test: gives `frames` pictures, then does what it was told to."""

    def __init__(self, frames: int, *, then: str, node: Path) -> None:
        self.frames, self.then, self.node = frames, then, node
        self.released = threading.Event()
        self.reads = 0

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.reads += 1
        if self.reads <= self.frames:
            return True, np.full((48, 64, 3), self.reads % 256, np.uint8)
        if self.then == "unplug":
            self.node.unlink(missing_ok=True)
        if self.then == "hang":
            self.released.wait(0.5)
        if self.then == "grey":
            return True, np.zeros((48, 64), np.uint8)
        return False, None

    def release(self) -> None:
        self.released.set()


def camera_with(tmp_path: Path, frames: int, then: str, *, virtual: bool = False, **options: bool):
    node = tmp_path / "video0"
    node.touch()
    device = ScriptedDevice(frames, then=then, node=node)
    described = VideoDevice(node, "uvcvideo", "Test camera", "SN1", "0c45:6366", "1-1", virtual)
    camera = OpenCvCamera(
        "0",
        DeviceOptions(**options),
        describe=lambda _: described,
        opener=lambda _node, _options: device,
    )
    return camera, device


def read_until_error(camera: OpenCvCamera) -> Exception:
    for _ in range(100):
        try:
            camera.read(2.0)
        except (CameraGone, CameraTimeout) as error:
            return error
    raise AssertionError("the camera never ended")


def test_frames_come_from_the_device(tmp_path: Path) -> None:
    camera, device = camera_with(tmp_path, 1000, "fail")
    with camera:
        frame = camera.read(2.0)
    assert frame.origin is FrameOrigin.DEVICE
    assert frame.sensor == "0c45:6366-SN1"
    assert frame.pixels.shape == (48, 64, 3)
    assert device.released.wait(2)


def test_a_camera_unplugged_in_the_middle_is_gone(tmp_path: Path) -> None:
    camera, device = camera_with(tmp_path, 3, "unplug")
    with camera:
        error = read_until_error(camera)
    assert isinstance(error, CameraGone)
    assert "unplugged" in str(error)
    assert device.released.is_set()


@pytest.mark.parametrize("then", ["fail", "grey"])
def test_a_camera_that_keeps_failing_is_gone(tmp_path: Path, then: str) -> None:
    camera, _ = camera_with(tmp_path, 2, then)
    with camera:
        error = read_until_error(camera)
    assert isinstance(error, CameraGone)
    assert "stopped giving frames" in str(error)


def test_a_driver_that_hangs_is_a_timeout_and_does_not_hang_the_close(tmp_path: Path) -> None:
    camera, _ = camera_with(tmp_path, 0, "hang")
    with camera, pytest.raises(CameraTimeout):
        camera.read(0.05)


def test_software_posing_as_a_camera_is_refused(tmp_path: Path) -> None:
    camera, device = camera_with(tmp_path, 5, "fail", virtual=True)
    with pytest.raises(CameraRefused, match="software posing"), camera:
        pass
    assert device.reads == 0
    laboratory, _ = camera_with(tmp_path, 5, "fail", virtual=True, allow_virtual=True)
    with laboratory:
        assert laboratory.identity.is_virtual


def test_a_camera_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    node = tmp_path / "video0"
    device = ScriptedDevice(1000, then="fail", node=node)

    def describe(source: str) -> VideoDevice:
        if not node.exists():
            raise CameraNotFound(f"no camera at {source}")
        return VideoDevice(node, "uvcvideo", "Test camera", "SN1", "0c45:6366", "1-1", False)

    camera = OpenCvCamera("0", describe=describe, opener=lambda _node, _options: device)
    assert not camera.identity.is_present
    assert camera.identity.origin is FrameOrigin.DEVICE
    with pytest.raises(CameraNotFound), camera:
        pass
    node.touch()
    assert camera.identity.is_present
    with camera:
        assert camera.read(2.0).sensor == "0c45:6366-SN1"


def test_a_camera_put_back_under_another_number_works_again(tmp_path: Path) -> None:
    nodes = [tmp_path / "video0", tmp_path / "video1"]
    opened: list[Path] = []

    def describe(_: str) -> VideoDevice:
        there = next((node for node in nodes if node.exists()), None)
        if there is None:
            raise CameraNotFound("no camera")
        return VideoDevice(there, "uvcvideo", "Test camera", "SN1", "0c45:6366", "1-1", False)

    def opener(node: Path, _options: DeviceOptions) -> ScriptedDevice:
        opened.append(node)
        return ScriptedDevice(3, then="unplug", node=node)

    camera = OpenCvCamera("/dev/v4l/by-id/usb-Camera", describe=describe, opener=opener)
    for node in nodes:
        node.touch()
        with camera:
            assert "unplugged" in str(read_until_error(camera))
        assert not camera.identity.is_present
    assert opened == nodes


def test_a_closed_camera_gives_nothing(tmp_path: Path) -> None:
    camera, _ = camera_with(tmp_path, 5, "fail")
    with camera:
        pass
    with pytest.raises(CameraGone, match="closed"):
        camera.read(0.01)


def test_a_device_that_cannot_be_opened_says_what_to_check(tmp_path: Path) -> None:
    with pytest.raises(CameraNotFound, match="group video"):
        open_device(tmp_path / "video9", DeviceOptions())


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Path, Path]:
    """A machine with a USB camera and a loopback device, as sysfs shows them."""
    dev, sysfs = tmp_path / "dev", tmp_path / "sys"
    usb = sysfs / "devices" / "pci0" / "usb1" / "1-2"
    interface = usb / "1-2:1.0"
    driver = sysfs / "bus" / "drivers" / "uvcvideo"
    node = interface / "video4linux" / "video0"
    loopback = sysfs / "devices" / "virtual" / "video4linux" / "video7"
    classes = sysfs / "class" / "video4linux"
    for folder in (node, driver, loopback, classes, dev / "v4l" / "by-id"):
        folder.mkdir(parents=True)
    (node / "device").symlink_to(interface)
    (interface / "driver").symlink_to(driver)
    for name, text in (("idVendor", "0c45"), ("idProduct", "6366"), ("serial", "SN0001")):
        (usb / name).write_text(text + "\n")
    (node / "name").write_text("USB 2.0 Camera\n")
    (loopback / "name").write_text("Dummy video device (0x0000)\n")
    (classes / "video0").symlink_to(node)
    (classes / "video7").symlink_to(loopback)
    for name in ("video0", "video7"):
        (dev / name).touch()
    (dev / "v4l" / "by-id" / "usb-Camera").symlink_to(dev / "video0")
    return dev, sysfs


def test_a_usb_camera_is_known_by_product_and_serial(machine: tuple[Path, Path]) -> None:
    dev, sysfs = machine
    for source in ("0", str(dev / "video0"), str(dev / "v4l" / "by-id" / "usb-Camera")):
        device = describe_device(source, dev, sysfs)
        assert (device.driver, device.usb_id, device.serial) == ("uvcvideo", "0c45:6366", "SN0001")
        assert device.stable_name == "0c45:6366-SN0001"
        assert not device.is_virtual


def test_a_loopback_device_is_known_as_software(machine: tuple[Path, Path]) -> None:
    assert describe_device("7", *machine).is_virtual


def test_an_absent_camera_is_answered_with_those_there_are(machine: tuple[Path, Path]) -> None:
    with pytest.raises(CameraNotFound, match="usb-Camera"):
        describe_device("3", *machine)
    with pytest.raises(CameraNotFound, match="plugged in"):
        describe_device("/dev/null", machine[0] / "none", machine[1])


class DatedDevice:
    """Gives one frame each time it is told to, dated as it is told; the test is its clock."""

    def __init__(self) -> None:
        self.now_ms = 0.0
        self.steps: Queue[float | None] = Queue()
        self.given = Queue[float]()

    def now_ns(self) -> int:
        # Whoever asks does so a millisecond after the driver filled the frame.
        return round((self.now_ms + 1.0) * 1e6)

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.given.put(self.now_ms)
        step = self.steps.get()
        if step is None:
            return False, None
        self.now_ms += step
        return True, np.full((48, 64, 3), 7, np.uint8)

    def get(self, control: int, /) -> float:
        return self.now_ms

    def set(self, control: int, value: float, /) -> bool:
        return False

    def release(self) -> None:
        return None


def dated_frame(tmp_path: Path, steps: list[float]) -> Frame:
    """The frame given last, where nobody took those before it."""
    node = tmp_path / "video0"
    node.touch()
    device = DatedDevice()
    described = VideoDevice(node, "uvcvideo", "Test camera", "SN1", "0c45:6366", "1-1", False)
    camera = OpenCvCamera("0", clock=device, describe=lambda _: described, opener=lambda *_: device)
    with camera:
        for step in (1000.0, *steps):
            device.steps.put(step)
        for _ in range(len(steps) + 2):
            device.given.get(timeout=5)
        frame = camera.read(1.0)
        for _ in range(5):
            device.steps.put(None)
        return frame


def test_frames_thrown_away_by_a_slow_reader_are_no_silence_of_the_camera(tmp_path: Path) -> None:
    frame = dated_frame(tmp_path, [33.0] * 12)
    assert frame.sequence == 13
    assert frame.listening is not None
    assert frame.listening.silent_ns == 32_000_000


def test_a_silence_among_frames_thrown_away_is_not_forgotten(tmp_path: Path) -> None:
    frame = dated_frame(tmp_path, [33.0, 400.0, 33.0, 33.0])
    assert frame.listening is not None
    assert frame.listening.silent_ns == 399_000_000
