"""An RGB LED ring on a serial line: the light for the flash where no bright display is.

Speaks the Adalight frame that WLED and most ring firmwares understand: `Ada`, number of LEDs less one
(two bytes, high first), a check byte (high XOR low XOR 0x55), then R, G, B per LED. Bytes go into a
sink that is passed in, so that this leaf needs no serial library.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hardware.base import Clock

GAMMA = 2.2
TICK_S = 0.02
MAX_LEDS = 1024


class ByteSink(Protocol):
    """The serial line."""

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        ...


@dataclass(frozen=True, slots=True)
class RingStep:
    """One colour, linear light 0..1 per channel, and how long it stands."""

    red: float
    green: float
    blue: float
    duration_ms: int


class LightRing:
    """Shows one colour on all LEDs, or plays a schedule of them.

    Args:
        sink: where the bytes go.
        leds: number of LEDs, 1 to 1024.
        brightness: 0..1, to keep the ring comfortable; it scales linear light.
    """

    def __init__(self, sink: ByteSink, *, leds: int, brightness: float = 1.0) -> None:
        if not 1 <= leds <= MAX_LEDS or not 0.0 <= brightness <= 1.0:
            raise ValueError(f"a ring has 1 to {MAX_LEDS} LEDs and a brightness of 0 to 1")
        self._sink = sink
        self._leds = leds
        self._brightness = brightness

    def show(self, red: float, green: float, blue: float) -> None:
        """Set all LEDs to a colour, linear light 0..1."""
        self._sink.write(frame_of(self._leds, *(_level(c * self._brightness) for c in (red, green, blue))))

    def dark(self) -> None:
        """Switch all LEDs off."""
        self.show(0.0, 0.0, 0.0)

    def play(
        self, steps: Sequence[RingStep], *, ramp_ms: int, clock: Clock, stopped: Callable[[], bool]
    ) -> int:
        """Play a schedule and go dark, also when it is stopped or the line fails.

        Returns:
            When the first colour was sent, in ns of `clock`.
        """
        began_ns: int = clock.now_ns()
        try:
            for before, step in zip((steps[0], *steps[:-1]), steps, strict=True):
                self._play_step(before, step, ramp_ms, clock, stopped)
        finally:
            self.dark()
        return began_ns

    def _play_step(
        self, before: RingStep, step: RingStep, ramp_ms: int, clock: Clock, stopped: Callable[[], bool]
    ) -> None:
        began_ns = clock.now_ns()
        while not stopped():
            since_ms = (clock.now_ns() - began_ns) / 1e6
            if since_ms >= step.duration_ms:
                return
            share = min(1.0, since_ms / ramp_ms) if ramp_ms > 0 else 1.0
            self.show(*(a + (b - a) * share for a, b in zip(_rgb(before), _rgb(step), strict=True)))
            clock.sleep(min(TICK_S, (step.duration_ms - since_ms) / 1000))


def frame_of(leds: int, red: int, green: int, blue: int) -> bytes:
    """One Adalight frame with the same colour, 0..255, on every LED."""
    high, low = divmod(leds - 1, 256)
    return b"Ada" + bytes((high, low, high ^ low ^ 0x55)) + bytes((red, green, blue)) * leds


def _rgb(step: RingStep) -> tuple[float, float, float]:
    return (step.red, step.green, step.blue)


def _level(linear: float) -> int:
    return round(float(255 * min(max(linear, 0.0), 1.0) ** (1 / GAMMA)))
