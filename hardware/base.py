"""Protocols of the devices that facepay drives, and the clock they run by."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from hardware.types import CameraIdentity, Frame


class Clock(Protocol):
    """Monotonic time and waiting, injected so that tests and replays need not wait."""

    def now_ns(self) -> int:
        """Return monotonic time in nanoseconds."""

    def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock."""


class SystemClock:
    """The machine's own monotonic clock."""

    def now_ns(self) -> int:
        """Return `time.monotonic_ns()`."""
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        """Block the calling thread."""
        time.sleep(max(0.0, seconds))


class SteppedClock:
    """A clock that moves only when someone sleeps on it: a replay by it runs as fast as it can."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """Return the time reached so far."""
        return self._now_ns

    def sleep(self, seconds: float) -> None:
        """Move on at once by `seconds`."""
        self._now_ns += _whole_ns(seconds)


class PatientClock:
    """A clock that moves only when someone sleeps on it, and never faster than the machine's own.

    A recording replayed by it comes in real time where the machine keeps up, and in slow motion where it
    does not: no frame is dropped because something else was busy.
    """

    def __init__(self, machine: Clock | None = None) -> None:
        self._machine = machine or SystemClock()
        self._now_ns = self._machine.now_ns()

    def now_ns(self) -> int:
        """Return the time reached so far."""
        return self._now_ns

    def sleep(self, seconds: float) -> None:
        """Move on by `seconds`, and block until the machine's own clock is there too."""
        self._now_ns += _whole_ns(seconds)
        self._machine.sleep(max(0.0, (self._now_ns - self._machine.now_ns()) / 1e9))


def _whole_ns(seconds: float) -> int:
    # Who waits for a deadline sleeps for what is left of it, and that is not for ever less than a nanosecond.
    return max(1, round(seconds * 1e9)) if seconds > 0 else 0


class Camera(Protocol):
    """A source of frames. Entering opens it, leaving closes it; it is closed until then."""

    @property
    def identity(self) -> CameraIdentity:
        """Who the camera is; known before it is opened."""

    def __enter__(self) -> Self:
        """Open the camera.

        Raises:
            CameraNotFound: it is not there or cannot be opened.
            CameraRefused: it may not be used.
        """

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the camera and forget what it buffered."""

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame, waiting at most `timeout_s`.

        Raises:
            CameraTimeout: none came in time; asking again may succeed.
            CameraGone: none will ever come.
        """


@runtime_checkable
class ExposureControl(Protocol):
    """A camera whose exposure can be held and moved; not every camera can."""

    def lock_exposure(self) -> None:
        """Hold exposure and white balance where they are; takes effect within a few frames."""

    def unlock_exposure(self) -> None:
        """Give exposure and white balance back to the camera."""

    def step_exposure(self, steps: int) -> None:
        """Move a locked exposure by `steps` half stops from where it was locked, 0 for back."""

    @property
    def exposure_locked(self) -> bool:
        """Whether the driver says that exposure is held."""
