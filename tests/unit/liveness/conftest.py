from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from liveness.challenge import Sale
from liveness.engine import LivenessEngine, LivenessModels, LivenessOptions, Scene
from liveness.policy import LivenessPolicy
from liveness.session import LivenessSession
from liveness.simulation.drawn import RATE, SteadyExpert, drawn_face, drawn_stream
from liveness.types import Observation, Origin, Progress, Tier


class Bench:
    """Builds tries over a drawn face, without weights."""

    SECRET = b"s" * 32
    RATE = RATE
    # Nothing alters a frame in place, so one stream serves all tests that ask for the same.
    stream = staticmethod(cache(drawn_stream))
    drawn_face = staticmethod(drawn_face)

    def engine(
        self, score: float | None = 0.95, options: LivenessOptions | None = None, **parts: Any
    ) -> LivenessEngine:
        models = LivenessModels(None, (SteadyExpert(score),))
        return LivenessEngine(models, LivenessPolicy(), secret=self.SECRET, options=options, **parts)

    def sale(self, number: int = 1, **changes: Any) -> Sale:
        return replace(Sale(number.to_bytes(16, "big"), 500, "EUR", "till-1"), **changes)

    def session(
        self,
        tier: Tier = Tier.ZERO,
        score: float | None = 0.95,
        *,
        origin: Origin = Origin.REPLAY,
        light: bool = True,
    ) -> LivenessSession:
        return self.engine(score).open(tier, self.sale(), Scene(origin, light=light))

    def feed(
        self, tried: LivenessSession, frames: Iterable[Observation], *, show: bool = False
    ) -> Progress | None:
        progress = None
        for one in frames:
            progress = tried.observe(one)
            if show:
                tried.shown(one.captured_at_ns + 1_000_000)
        return progress

    def each(self, tried: LivenessSession, frames: Iterable[Observation]) -> Iterator[Progress]:
        for one in frames:
            progress = tried.observe(one)
            yield progress
            if progress.finished:
                return


@pytest.fixture(scope="session")
def scene() -> Bench:
    return Bench()
