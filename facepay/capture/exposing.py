"""The camera's exposure during a capture: held while the light is shown, then moved to see it follow.

A light is decoded from small changes of tint, which an automatic exposure or white balance would take
away. The probe runs after the verdict, while the shopper reads and agrees, so it costs nobody time; it
can only raise an alarm, because drivers differ.
"""

from __future__ import annotations

from facepay.capture.base import LivenessTry
from hardware.base import ExposureControl
from hardware.types import Frame
from liveness.exposure import MAX_DELAY_FRAMES, find_exposure_alarm
from liveness.types import Alarm, PromptKind

_SAMPLED = 8
_SETTLING_FRAMES = 4
"""A wish takes effect within a few frames; only then a lock that did not come is a fact."""


class ExposureKeeper:
    """Holds, probes and frees the exposure of one camera; does nothing where there is no control."""

    def __init__(self, control: ExposureControl | None) -> None:
        self._control = control
        self._holding = 0
        self._probe: _Probe | None = None

    def follow(self, attempt: LivenessTry) -> None:
        """After a frame: hold from the moment a light is asked for."""
        if self._control is None:
            return
        if self._holding:
            self._holding += 1
            if self._holding == _SETTLING_FRAMES and not self._control.exposure_locked:
                attempt.note_alarm(Alarm.EXPOSURE_NOT_LOCKED)
        elif attempt.prompt.kind is PromptKind.FLASH:
            self._control.lock_exposure()
            self._holding = 1

    def probe(self, attempt: LivenessTry, frame: Frame) -> None:
        """After a frame of the time for consent: one step of the pattern, or one measurement."""
        if self._control is None:
            return
        if self._probe is None:
            self._probe = _Probe(self._control, attempt.exposure_pattern)
        alarm = self._probe.feed(float(frame.pixels[::_SAMPLED, ::_SAMPLED].mean()))
        if alarm is not None:
            attempt.note_alarm(alarm)

    def free(self) -> None:
        """Give the exposure back, whatever happened."""
        if self._control is not None and (self._holding or self._probe is not None):
            self._control.unlock_exposure()
        self._holding, self._probe = 0, None


class _Probe:
    """Sends the pattern, one step a frame, and watches brightness until the last step had its time."""

    def __init__(self, control: ExposureControl, pattern: tuple[int, ...]) -> None:
        self._control = control
        self._pattern = pattern
        self._luma: list[float] = []
        self._sent = 0
        self._over = not pattern
        if pattern:
            control.lock_exposure()

    def feed(self, luma: float) -> Alarm | None:
        if self._over or (self._sent == 0 and not self._is_ready()):
            return None
        if self._sent:
            self._luma.append(luma)
        if self._sent < len(self._pattern):
            self._control.step_exposure(self._pattern[self._sent])
        elif self._sent == len(self._pattern):
            self._control.step_exposure(0)
        self._sent += 1
        if len(self._luma) < len(self._pattern) + MAX_DELAY_FRAMES:
            return None
        self._over = True
        self._control.unlock_exposure()
        return find_exposure_alarm(self._pattern, self._luma)

    def _is_ready(self) -> bool:
        """A camera that does not let itself be held cannot be probed."""
        return self._control.exposure_locked
