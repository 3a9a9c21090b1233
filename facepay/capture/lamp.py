"""The light of the flash where it is not the display's: a ring of LEDs beside the camera.

A lamp plays one schedule in a thread of its own and says at once when the first colour was sent, on the
clock of the frames. The page shows no colours then.
"""

from __future__ import annotations

import threading
from typing import Protocol

from hardware.base import Clock
from hardware.light_ring import LightRing, RingStep
from liveness.types import ColourSchedule


class Lamp(Protocol):
    """A light that this process drives."""

    def play(self, schedule: ColourSchedule) -> int | None:
        """Begin to show a schedule; when its first colour was sent in ns, or None where it failed."""
        ...

    def dark(self) -> None:
        """Stop, and go dark."""
        ...


class RingLamp:
    """Plays schedules on an RGB ring."""

    def __init__(self, ring: LightRing, clock: Clock) -> None:
        self._ring = ring
        self._clock = clock
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def play(self, schedule: ColourSchedule) -> int | None:
        """Begin to show a schedule; when its first colour was sent in ns, or None where it failed."""
        self.dark()
        self._stop.clear()
        steps = [RingStep(*step.rgb, step.duration_ms) for step in schedule.steps]
        began_ns = self._clock.now_ns()
        try:
            self._ring.show(*schedule.steps[0].rgb)
        except OSError:
            return None
        self._thread = threading.Thread(target=self._play, args=(steps, schedule.ramp_ms), daemon=True)
        self._thread.start()
        return began_ns

    def dark(self) -> None:
        """Stop, and go dark."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _play(self, steps: list[RingStep], ramp_ms: int) -> None:
        try:
            self._ring.play(steps, ramp_ms=ramp_ms, clock=self._clock, stopped=self._stop.is_set)
        except OSError:
            # The line was pulled out: the light is missing, and the flash cue cannot tell.
            return
