"""A camera whose frames a web page pushes as JPEG.

The sender chose every byte, so everything is bounded: size of one picture, pictures a second, and
how many wait. What does not fit is refused before it is decoded; when the reader is slow the oldest
picture goes, because guidance has to be about now. Frames are stamped on arrival, never by the page.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from hardware.base import Clock, SystemClock
from hardware.errors import CameraGone, CameraTimeout, FrameRateExceeded, FrameRefused
from hardware.images import ImageLimits, decode_image
from hardware.types import CameraIdentity, Frame, FrameOrigin, Listening, SensorId


@dataclass(frozen=True, slots=True)
class BrowserLimits:
    """What a page may push: `frames_per_s` on average, bursts of `burst`, `waiting` undecoded pictures."""

    image: ImageLimits = field(
        default_factory=lambda: ImageLimits(max_bytes=1_000_000, max_pixels=2_100_000, max_side=1920)
    )
    frames_per_s: float = 30.0
    burst: int = 15
    waiting: int = 4


@dataclass(frozen=True, slots=True)
class _Pushed:
    data: bytes = field(repr=False)
    arrived_at_ns: int
    sequence: int
    silent_ns: int
    """Since the picture before arrived."""


class BrowserCamera:
    """Takes pictures by `push` from a request's thread and gives them by `read` to the capture's."""

    def __init__(
        self, name: str = "browser", limits: BrowserLimits | None = None, clock: Clock | None = None
    ) -> None:
        self._name = name
        self._limits = limits or BrowserLimits()
        self._clock = clock or SystemClock()
        self._condition = threading.Condition()
        self._waiting: deque[_Pushed] = deque(maxlen=self._limits.waiting)
        self._open = False
        self._sequence = 0
        self._arrived_at_ns: int | None = None
        self._silent_ns = 0
        self._tokens = float(self._limits.burst)
        self._refilled_at_ns = 0

    @property
    def identity(self) -> CameraIdentity:
        """A virtual camera named by the page's session."""
        return CameraIdentity(
            SensorId(f"browser:{self._name}"), FrameOrigin.BROWSER, "browser", "browser", "", is_virtual=True
        )

    @property
    def is_open(self) -> bool:
        """Whether pictures are wanted now; the page closes its camera when they are not."""
        with self._condition:
            return self._open

    def __enter__(self) -> Self:
        """Begin to accept pictures."""
        with self._condition:
            self._waiting.clear()
            self._arrived_at_ns, self._silent_ns = None, 0
            self._tokens = float(self._limits.burst)
            self._refilled_at_ns = self._clock.now_ns()
            self._open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Accept no more pictures and forget those that wait."""
        with self._condition:
            self._open = False
            self._waiting.clear()
            self._condition.notify_all()

    def push(self, data: bytes) -> int:
        """Take one JPEG from the page.

        Returns:
            The sequence number it got.

        Raises:
            FrameRefused: empty, too large, or no JPEG; nothing was kept.
            FrameRateExceeded: pictures come faster than allowed; this one was dropped.
            CameraGone: no capture wants pictures now.
        """
        self._require_acceptable(data)
        with self._condition:
            if not self._open:
                raise CameraGone("no capture is running; pictures are not wanted now")
            self._spend_token()
            self._sequence += 1
            self._keep(data, self._clock.now_ns())
            self._condition.notify()
            return self._sequence

    def _keep(self, data: bytes, now_ns: int) -> None:
        """Let it wait; the oldest goes where too many do, but not how long the page was silent before it."""
        silent_ns = now_ns - self._arrived_at_ns if self._arrived_at_ns is not None else 0
        self._arrived_at_ns = now_ns
        if len(self._waiting) == self._limits.waiting:
            self._silent_ns = max(self._silent_ns, self._waiting[0].silent_ns)
        self._waiting.append(_Pushed(data, now_ns, self._sequence, silent_ns))

    def read(self, timeout_s: float) -> Frame:
        """Return the next picture, decoded.

        Raises:
            CameraTimeout: the page sent none in time.
            CameraGone: the camera was closed.
            FrameRefused: the picture is damaged or too large; the next call goes on.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._waiting or not self._open, timeout_s)
            if not self._open:
                raise CameraGone("the browser's camera is closed")
            if not self._waiting:
                raise CameraTimeout(f"the page sent no picture within {timeout_s:.1f} s")
            pushed = self._waiting.popleft()
            self._silent_ns = max(self._silent_ns, pushed.silent_ns)
        pixels = decode_image(pushed.data, self._limits.image)
        heard, self._silent_ns = Listening(self._silent_ns, 0), 0
        return Frame(
            pixels, pushed.arrived_at_ns, pushed.sequence, self.identity.sensor, FrameOrigin.BROWSER, heard
        )

    def _require_acceptable(self, data: bytes) -> None:
        limit = self._limits.image.max_bytes
        if not data:
            raise FrameRefused("the picture is empty (0 bytes)")
        if len(data) > limit:
            raise FrameRefused(f"the picture has {len(data)} bytes, more than the {limit} allowed")
        if not data.startswith(b"\xff\xd8\xff"):
            raise FrameRefused("the picture is no JPEG")

    def _spend_token(self) -> None:
        now_ns = self._clock.now_ns()
        earned = (now_ns - self._refilled_at_ns) / 1e9 * self._limits.frames_per_s
        self._tokens = min(float(self._limits.burst), self._tokens + earned)
        self._refilled_at_ns = now_ns
        if self._tokens < 1:
            raise FrameRateExceeded(f"more than {self._limits.frames_per_s:.0f} pictures a second")
        self._tokens -= 1
