"""The LED ring's frames and schedules."""

from __future__ import annotations

import pytest

from hardware.base import SteppedClock
from hardware.light_ring import LightRing, RingStep, frame_of


class Line:
    """A serial line that remembers."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.sent.append(data)


def test_frame_is_an_adalight_frame() -> None:
    assert frame_of(3, 255, 128, 0) == b"Ada\x00\x02\x57" + bytes((255, 128, 0)) * 3
    assert frame_of(300, 0, 0, 0)[3:6] == bytes((1, 43, 1 ^ 43 ^ 0x55))


def test_schedule_is_played_in_its_time_and_ends_dark() -> None:
    line, clock = Line(), SteppedClock(5)
    steps = [RingStep(0.6, 0.6, 0.6, 250), RingStep(1.0, 0.35, 0.35, 250)]
    began = LightRing(line, leds=2).play(steps, ramp_ms=80, clock=clock, stopped=lambda: False)
    assert began == 5
    assert clock.now_ns() - began == pytest.approx(500e6, rel=0.01)
    assert line.sent[-1].endswith(bytes(6))
    assert line.sent[-2].endswith(bytes((255, 158, 158)) * 2)


def test_stopped_ring_goes_dark_at_once() -> None:
    line = Line()
    LightRing(line, leds=1).play(
        [RingStep(1, 1, 1, 1000)], ramp_ms=0, clock=SteppedClock(), stopped=lambda: True
    )
    assert line.sent == [frame_of(1, 0, 0, 0)]


@pytest.mark.parametrize(("leds", "brightness"), [(0, 1.0), (2000, 1.0), (8, 1.5)])
def test_impossible_rings_are_refused(leds: int, brightness: float) -> None:
    with pytest.raises(ValueError, match="LEDs"):
        LightRing(Line(), leds=leds, brightness=brightness)
