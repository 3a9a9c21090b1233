"""Turns alone, without light or passive networks: where heads and sheets lie, beside the limits of the turn.

Limits are read off the development half with this; the evaluation half is for counting only.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.liveness.lab import RATE, Lab
from benchmarks.liveness.motion import KINDS, Surfaced, moving_photo, portraits
from liveness.covering import CoverJudge
from liveness.looker import Looker, LookPlan
from liveness.quality import GateLimits
from liveness.simulation.motion import Moved, MovingPhoto, Shape
from liveness.turn import TurnCue
from liveness.types import (
    CueResult,
    Look,
    Observation,
    Origin,
    Presentation,
    Prompt,
    PromptKind,
    Shown,
    Status,
)

_STILL, _TURNING, _HELD = 6, 20, 14
_TURNS = (
    *(kind for kind in KINDS if kind.shape is not Shape.SOLID),
    Surfaced("bent to 0.35 faces about an axis 15 degrees off, 35 degrees", Shape.BENT, 35.0, 0.35, 15.0),
    Surfaced("solid, 20 degrees", Shape.SOLID, 20.0),
    Surfaced("solid, 28 degrees", Shape.SOLID, 28.0),
)
_QUANTILES = (0.0, 0.01, 0.05, 0.5, 0.95, 0.99, 1.0)


@dataclass(slots=True)
class _Group:
    """What one shape showed: the cue's measurements and answers."""

    values: dict[str, list[float]]
    said: Counter[str]


def turns_table(lab: Lab, photos: Path, people: str, count: int) -> dict[str, object]:
    """Quantiles of what the turn measures on sheets and heads, and what it says of them."""
    groups = defaultdict(lambda: _Group(defaultdict(list), Counter()))
    for number, (image, mesh) in enumerate(portraits(lab, photos, people, count), 1):
        for kind in _TURNS:
            result = _turn(lab, moving_photo(image, mesh, kind), kind, number)
            group = groups["heads" if kind.shape is Shape.SOLID else "sheets"]
            group.said[_said(result)] += 1
            for name, value in result.details:
                if _measured(name, result):
                    group.values[name].append(value)
            details = " ".join(f"{name}={value:.3f}" for name, value in result.details)
            print(f"{number} {kind.name}: {_said(result)} {details}", file=sys.stderr, flush=True)
    return {name: _summary(group) for name, group in groups.items()}


def _measured(name: str, result: CueResult) -> bool:
    """Whether this measurement was made; without followed skin there is no relief."""
    return name not in {"relief", "movement", "misfit"} or dict(result.details)["movement"] > 0


def _turn(lab: Lab, photo: MovingPhoto, kind: Surfaced, seed: int) -> CueResult:
    noise = np.random.default_rng(seed)
    looker = Looker(lab.mesh, (), CoverJudge(), limits=GateLimits(), plan=LookPlan())
    side = 1 if seed % 2 else -1
    shown_ns = round((_STILL - 0.5) * 1e9 / RATE)
    looks: list[Look] = []
    for i in range(_STILL + _TURNING + _HELD):
        yaw = side * kind.peak * min(max((i - _STILL) / _TURNING, 0.0), 1.0)
        pixels = photo.frame(Moved(yaw + float(noise.normal(0, 0.3)), float(noise.normal(0, 0.3))))
        pixels = np.clip(pixels + noise.normal(0, 1.5, pixels.shape), 0, 255).astype(np.uint8)
        box, points = (lab.detect(pixels) if i % 10 == 0 else None) or (None, None)
        looker.follow_turn(asked=i >= _STILL - 1)
        at_ns = round(i * 1e9 / RATE) + 1
        look = looker.look(
            Observation(pixels, at_ns, i, "clip", Origin.REPLAY, box, points, detected=i % 10 == 0)
        )
        looks.extend([look] if look else [])
    asked = PromptKind.TURN_LEFT if side > 0 else PromptKind.TURN_RIGHT
    return TurnCue().assess(Presentation(tuple(looks), (Shown(Prompt(asked, 1), shown_ns),)))


def _said(result: CueResult) -> str:
    if result.status is Status.OK:
        return "accepted"
    return f"{result.status.value} {','.join(reason.value for reason in result.reasons)}"


def _summary(group: _Group) -> dict[str, object]:
    rows: dict[str, object] = {
        name: " ".join(f"{value:.3f}" for value in np.quantile(values, _QUANTILES))
        for name, values in group.values.items()
    }
    return {"turns": group.said.total(), "said": dict(group.said), "quantiles 0 1 5 50 95 99 100 %": rows}
