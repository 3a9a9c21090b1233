"""What a capture needs of liveness; `liveness.session` satisfies it."""

from __future__ import annotations

from typing import Protocol

from liveness.types import Alarm, Observation, PadResult, Progress, Prompt


class LivenessTry(Protocol):
    """One try of one shopper, with its own challenge."""

    @property
    def prompt(self) -> Prompt:
        """What is asked now."""
        ...

    def shown(self, at_ns: int, *, refresh_hz: float | None = 60.0) -> None:
        """Tell when the current prompt appeared on the screen."""
        ...

    def observe(self, observation: Observation) -> Progress:
        """Take one frame, also after the conclusion, while an act of consent is awaited."""
        ...

    @property
    def exposure_pattern(self) -> tuple[int, ...]:
        """Exposure steps -1, 0, +1 for the probe; empty until a frame was taken."""
        ...

    def note_alarm(self, alarm: Alarm) -> None:
        """Put on record what was noticed about camera or light; it refuses nobody."""
        ...

    def conclude(self) -> PadResult:
        """The verdict."""
        ...
