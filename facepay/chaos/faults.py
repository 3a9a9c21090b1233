"""What goes wrong, drawn from a seed: the same seed gives the same disasters."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass

from facepay.journal import State
from facepay.testing.faulty_provider import Mishap


class PowerCut(BaseException):
    """The process ends here and now; nothing of it may go on, so no `except Exception` may catch it."""


@dataclass(frozen=True, slots=True)
class KillPoint:
    """Where the plug is pulled: before or after the commit of a state."""

    when: str
    state: State

    def __str__(self) -> str:
        return f"{self.when}:{self.state.value}"

    @classmethod
    def parse(cls, text: str) -> KillPoint:
        """The reverse of `str`."""
        when, _, state = text.partition(":")
        return cls(when, State(state))


KILL_POINTS = tuple(KillPoint(when, state) for state in State for when in ("before", "after"))
"""Before and after the commit of every state."""


class Plug:
    """An observer of the journal that ends the process at its kill point."""

    def __init__(self, pull: Callable[[], None]) -> None:
        self._pull = pull
        self.point: KillPoint | None = None
        self.pulled = 0

    def __call__(self, when: str, states: tuple[State, ...]) -> None:
        """Called by the journal around each commit."""
        point = self.point
        if point is not None and point.when == when and point.state in states:
            self.point = None
            self.pulled += 1
            self._pull()


def cut() -> None:
    """End by an exception nothing catches: quick, for thousands of cuts in one process."""
    raise PowerCut


def kill() -> None:
    """End the process for real, without any chance to tidy up."""
    os.kill(os.getpid(), signal.SIGKILL)


class Weather:
    """The network's mood: a mishap for each call, by chance, or none where it is calm."""

    def __init__(self, chance: random.Random, rate: float) -> None:
        self._chance = chance
        self._rate = rate
        self.calm = False
        self.mishaps = 0

    def __call__(self, _method: str) -> Mishap:
        """Called by the faulty provider once per call."""
        if self.calm or self._chance.random() >= self._rate:
            return Mishap.NONE
        self.mishaps += 1
        return self._chance.choice([mishap for mishap in Mishap if mishap is not Mishap.NONE])


class CrookedClock:
    """Milliseconds that jump back and forth by up to a day."""

    def __init__(self, chance: random.Random, start_ms: int) -> None:
        self._chance = chance
        self._now_ms = start_ms
        self.skews = 0

    def __call__(self) -> int:
        """The time now."""
        self._now_ms += self._chance.randrange(1, 50)
        return self._now_ms

    def skew(self) -> None:
        """Set the clock wrong by up to a day, either way."""
        self._now_ms += self._chance.randrange(-86_400_000, 86_400_000)
        self.skews += 1
