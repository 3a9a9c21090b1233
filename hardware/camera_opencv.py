"""A capture device of this machine, through OpenCV: named by a stable path, refused where it is software.

A thread reads the device all the time and keeps the newest frame only, so that `read` has a true
deadline even where the driver blocks, and a frame is never older than one period. A device that stops
is gone, not silent: when its node vanishes or it fails a few times in a row, `read` says so. It is looked
for anew at each opening: one that was pulled out and put back, under whatever number, works again.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import cv2
import numpy as np

from hardware.base import Clock, SystemClock
from hardware.errors import CameraGone, CameraNotFound, CameraRefused, CameraTimeout
from hardware.exposure import ExposureWishes, Tunable
from hardware.listening import Listener
from hardware.types import CameraIdentity, Frame, FrameOrigin, Pixels, SensorId
from hardware.v4l2 import VideoDevice, describe_device

_FAILURES_TO_GIVE_UP = 5
_RETRY_S = 0.05
_JOIN_S = 2.0
MAX_AGE_NS = 1_000_000_000


class Grabber(Protocol):
    """What is needed of a capture library: `cv2.VideoCapture` satisfies it."""

    def read(self) -> tuple[bool, Any]:
        """Return whether there was a frame, and the frame `uint8[H, W, 3]` BGR."""

    def release(self) -> None:
        """Close the device."""


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """What is asked of the device. `allow_virtual` is for a laboratory; the production profile forbids it."""

    width: int = 640
    height: int = 480
    frames_per_s: int = 30
    allow_virtual: bool = False


class OpenCvCamera:
    """One capture device; it need not be there before it is opened."""

    def __init__(
        self,
        source: str,
        options: DeviceOptions | None = None,
        *,
        clock: Clock | None = None,
        describe: Callable[[str], VideoDevice] = describe_device,
        opener: Callable[[Path, DeviceOptions], Grabber] | None = None,
    ) -> None:
        """Name a camera; nothing is opened yet.

        Args:
            source: an index, a node such as `/dev/video0`, or better a link below `/dev/v4l/by-id`.
            options: what to ask of it.
            clock: stamps the frames.
            describe: finds out what the device is; raises CameraNotFound where there is none.
            opener: opens it.
        """
        self._source = source
        self._describe = describe
        self._opened: VideoDevice | None = None
        self._options = options or DeviceOptions()
        self._clock = clock or SystemClock()
        self._opener = opener or open_device
        self._condition = threading.Condition()
        self._newest: Frame | None = None
        self._gone = ""
        self._exposure = ExposureWishes()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def identity(self) -> CameraIdentity:
        """What the device is; while none is there, the place where it is looked for."""
        device = self._opened or self._find()
        if device is None:
            sensor = SensorId(f"camera {self._source}")
            return CameraIdentity(sensor, FrameOrigin.DEVICE, "", "", "", is_virtual=False, is_present=False)
        return CameraIdentity(
            SensorId(device.stable_name),
            FrameOrigin.DEVICE,
            device.driver,
            device.model,
            device.serial,
            is_virtual=device.is_virtual,
        )

    def __enter__(self) -> Self:
        """Open the device and begin to read it.

        Raises:
            CameraRefused: it is software that poses as a camera.
            CameraNotFound: it is not there, or cannot be opened, for example because another program has it.
        """
        device = self._describe(self._source)
        if device.is_virtual and not self._options.allow_virtual:
            raise CameraRefused(
                f"{device.node} is software posing as a camera (driver {device.driver}); choose a real one"
            )
        grabber = self._opener(device.node, self._options)
        self._opened, self._newest, self._gone = device, None, ""
        self._stop.clear()
        self._thread = threading.Thread(target=self._keep_reading, args=(grabber, device), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop reading and close the device."""
        self._stop.set()
        with self._condition:
            self._gone = "the camera is closed"
            self._newest = None
            self._condition.notify_all()
        if self._thread is not None:
            # A driver that hangs must not hang the terminal; the thread ends when the driver returns.
            self._thread.join(_JOIN_S)
            self._thread = None
        self._opened = None

    def read(self, timeout_s: float) -> Frame:
        """Return the newest frame not given before.

        Raises:
            CameraTimeout: none came in time.
            CameraGone: the device is unplugged, fails, or is closed.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._newest is not None or self._gone, timeout_s)
            if self._gone:
                raise CameraGone(self._gone)
            frame, self._newest = self._newest, None
        if frame is None:
            raise CameraTimeout(f"camera {self._source} gave no frame within {timeout_s:.1f} s")
        return frame

    def _find(self) -> VideoDevice | None:
        try:
            return self._describe(self._source)
        except CameraNotFound:
            return None

    @property
    def exposure_locked(self) -> bool:
        """Whether the driver says that exposure is held."""
        return self._exposure.locked

    def lock_exposure(self) -> None:
        """Hold exposure and white balance where they are; takes effect within a few frames."""
        self._exposure.hold()

    def unlock_exposure(self) -> None:
        """Give exposure and white balance back to the camera."""
        self._exposure.free()

    def step_exposure(self, steps: int) -> None:
        """Move a locked exposure by `steps` half stops from where it was locked, 0 for back."""
        self._exposure.hold(steps)

    def _keep_reading(self, grabber: Grabber, device: VideoDevice) -> None:
        sequence = failures = 0
        listener = Listener()
        sensor = SensorId(device.stable_name)
        try:
            while not self._stop.is_set() and failures < _FAILURES_TO_GIVE_UP:
                self._exposure.apply(grabber)
                listener.ask(self._clock.now_ns())
                pixels = _frame_of(grabber)
                if pixels is None:
                    failures += 1
                    if not device.node.exists():
                        break
                    self._stop.wait(_RETRY_S)
                    continue
                failures, sequence = 0, sequence + 1
                now_ns = self._clock.now_ns()
                at_ns = captured_ns(grabber, now_ns)
                heard = listener.hear(at_ns, dated=at_ns != now_ns)
                self._offer(Frame(pixels, at_ns, sequence, sensor, FrameOrigin.DEVICE, heard))
        finally:
            self._exposure.free()
            self._exposure.apply(grabber)
            grabber.release()
            self._say_gone(device)

    def _offer(self, frame: Frame) -> None:
        with self._condition:
            dropped = self._newest
            if dropped is not None and dropped.listening and frame.listening:
                # Nobody took the frame before, but what the camera did until then is not forgotten.
                frame = replace(frame, listening=frame.listening.worst(dropped.listening))
            self._newest = frame
            self._condition.notify_all()

    def _say_gone(self, device: VideoDevice) -> None:
        why = "stopped giving frames" if device.node.exists() else "was unplugged"
        with self._condition:
            self._gone = self._gone or f"the camera {device.model} {why}"
            self._newest = None
            self._condition.notify_all()


def open_device(node: Path, options: DeviceOptions) -> Grabber:
    """Open a V4L2 device with OpenCV.

    Raises:
        CameraNotFound: it cannot be opened.
    """
    capture = cv2.VideoCapture(str(node), cv2.CAP_V4L2)
    if not capture.isOpened():
        raise CameraNotFound(
            f"{node} cannot be opened: another program may have it, or the user may not be in group video"
        )
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, options.width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, options.height)
    capture.set(cv2.CAP_PROP_FPS, options.frames_per_s)
    # One buffer only: with more, the first frames after a pause are old.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    grabber: Grabber = capture
    return grabber


def captured_ns(grabber: object, now_ns: int) -> int:
    """When the driver filled the buffer, ns on the monotonic clock; `now_ns` where it does not say so.

    OpenCV hands on the time of the V4L2 buffer in ms. A time that is not of the last second is another
    clock's (some drivers stamp with the time of day), and no use to anybody here.
    """
    told_ms = grabber.get(cv2.CAP_PROP_POS_MSEC) if isinstance(grabber, Tunable) else 0.0
    told_ns = round(told_ms * 1e6) if math.isfinite(told_ms) else 0
    return told_ns if max(now_ns - MAX_AGE_NS, 1) <= told_ns <= now_ns else now_ns


def _frame_of(grabber: Grabber) -> Pixels | None:
    try:
        found, pixels = grabber.read()
    except cv2.error:
        return None
    if not found or pixels is None or pixels.ndim != 3 or pixels.shape[2] != 3:
        return None
    return np.ascontiguousarray(pixels, dtype=np.uint8)
