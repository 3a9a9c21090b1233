"""A camera before which the demonstration puts people: stills in a steady hand, or nobody.

Every frame is marked as a replay, and a transcript says so. What is simulated is the camera only: its
sway, its noise, its pace.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import numpy as np

from hardware.base import Clock, SystemClock
from hardware.errors import CameraGone, CameraTimeout
from hardware.motion_simulation import HandHeldStill
from hardware.types import CameraIdentity, Frame, FrameOrigin, Listening, Pixels, SensorId

WIDTH, HEIGHT, FRAMES_PER_S = 640, 480, 30
EMPTY_GREY = 90

Scene = Callable[[], Pixels]
"""Gives the next frame, `uint8[480, 640, 3]` BGR."""


class Stage:
    """Satisfies `Camera`; what is shown can be changed at any time, also while it is open."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._scene: Scene = nobody(0)
        self._unplugged = False
        self._open = False
        self._next_ns = 0
        self._sequence = 0
        self._seed = 0

    @property
    def identity(self) -> CameraIdentity:
        """A virtual camera, and marked as one."""
        return CameraIdentity(SensorId("replay:stage"), FrameOrigin.REPLAY, "replay", "stage", "", True)

    def show(self, photo: Pixels) -> None:
        """Hold a photo before the camera, in a hand of its own."""
        self._seed += 1
        self.play(HandHeldStill(photo, (WIDTH, HEIGHT), self._seed).frame)

    def play(self, scene: Scene) -> None:
        """Show the frames of a scene."""
        with self._lock:
            self._scene = scene

    def clear(self) -> None:
        """Nobody stands before the camera."""
        self._seed += 1
        self.play(nobody(self._seed))

    def unplug(self) -> None:
        """Pull the cable; `plug_in` puts it back."""
        self._unplugged = True

    def plug_in(self) -> None:
        """Connect the camera again."""
        self._unplugged = False

    @property
    def is_open(self) -> bool:
        """Whether the camera looks at this moment."""
        return self._open

    def __enter__(self) -> Self:
        if self._unplugged:
            raise CameraGone("the camera is unplugged")
        self._open = True
        self._next_ns = self._clock.now_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False

    def read(self, timeout_s: float) -> Frame:
        """The frame that is due next; raises CameraGone, CameraTimeout."""
        if self._unplugged or not self._open:
            raise CameraGone("the camera is unplugged")
        wait_s = (self._next_ns - self._clock.now_ns()) / 1e9
        if wait_s > timeout_s:
            self._clock.sleep(timeout_s)
            raise CameraTimeout("no frame yet")
        self._clock.sleep(max(0.0, wait_s))
        with self._lock:
            pixels = self._scene()
        # A slow reader misses frames, as with a real camera; the sequence tells how many.
        period_ns = round(1e9 / FRAMES_PER_S)
        missed = max(0, (self._clock.now_ns() - self._next_ns) // period_ns)
        captured_ns = self._next_ns + missed * period_ns
        self._sequence += 1 + missed
        self._next_ns = captured_ns + period_ns
        heard = Listening(period_ns, 0)
        return Frame(pixels, captured_ns, self._sequence, self.identity.sensor, FrameOrigin.REPLAY, heard)


def nobody(seed: int) -> Scene:
    """An empty room: grey, with the noise of a sensor."""
    random = np.random.default_rng(seed)

    def frame() -> Pixels:
        noise = random.normal(EMPTY_GREY, 3, (HEIGHT, WIDTH, 1)).clip(0, 255)
        return np.repeat(noise.astype(np.uint8), 3, axis=2)

    return frame
