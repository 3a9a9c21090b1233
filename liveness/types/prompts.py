"""What the shopper is asked and told: prompts, the colours of a light, hints."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Hint(Enum):
    """The one thing the shopper can do now; the same words as the terminal's quality hints."""

    NONE = "none"
    NO_FACE = "no_face"
    ONE_PERSON = "one_person"
    COME_CLOSER = "come_closer"
    STEP_BACK = "step_back"
    CENTRE = "centre"
    LOOK_HERE = "look_here"
    HOLD_STILL = "hold_still"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    UNCOVER = "uncover"


class PromptKind(Enum):
    """What the shopper is asked to do."""

    HOLD = "hold"
    FLASH = "flash"
    TURN_LEFT = "turn_left"
    """Towards the shopper's own left."""
    TURN_RIGHT = "turn_right"
    SMILE = "smile"
    NOD = "nod"
    BLINK = "blink"


@dataclass(frozen=True, slots=True)
class ColourStep:
    """One colour of the light: linear light 0..1 per channel (R, G, B), shown for `duration_ms`."""

    red: float
    green: float
    blue: float
    duration_ms: int

    @property
    def rgb(self) -> tuple[float, float, float]:
        """The three channels, linear light 0..1."""
        return (self.red, self.green, self.blue)


@dataclass(frozen=True, slots=True)
class ColourSchedule:
    """Colours to show one after the other, each reached by a linear ramp of `ramp_ms`.

    The first step is the neutral base. `as_json` is what a page or a lamp driver needs.
    """

    steps: tuple[ColourStep, ...]
    ramp_ms: int

    @property
    def duration_ms(self) -> int:
        """From the first base light to the end of the last colour."""
        return sum(step.duration_ms for step in self.steps)

    def as_json(self) -> dict[str, object]:
        """The schedule as plain values: sRGB hex colours (gamma 2.2 applied) with times in ms."""
        return {
            "ramp_ms": self.ramp_ms,
            "duration_ms": self.duration_ms,
            "steps": [
                {
                    "colour": "#" + "".join(f"{round(255 * c ** (1 / 2.2)):02x}" for c in step.rgb),
                    "duration_ms": step.duration_ms,
                }
                for step in self.steps
            ],
        }


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing to ask, new for every try.

    `number` grows with each prompt of the session, so that a page can tell a new one from a repeat.
    `schedule` is set for FLASH only. The prompt is answered in time when the answer starts before
    `valid_for_ms` have passed since it was shown.
    """

    kind: PromptKind
    number: int
    valid_for_ms: int = 8000
    schedule: ColourSchedule | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A prompt as it really appeared: `at_ns` on the clock of the frames."""

    prompt: Prompt
    at_ns: int
    refresh_hz: float | None = 60.0
    """Refresh rate the display reports; None where it reports none, and then a light cannot be timed."""
