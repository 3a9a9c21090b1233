"""Tier 2 on photos moved flat, bent and solid; every one is simulated.

Limits were taken from photos of the development half of the people, figures come from the other half.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.liveness.lab import RATE, Lab, half_of
from liveness.landmarks import box_of
from liveness.session import LivenessSession
from liveness.simulation.motion import Moved, MovingPhoto, Shape
from liveness.simulation.relight import Lamp, Relighter, Surface
from liveness.types import Mesh, Observation, Origin, PadResult, Pixels, PromptKind, Status, Tier

_FRAMES = 170


@dataclass(frozen=True, slots=True)
class Surfaced:
    """One kind of trial: what the photo is on and how far it is turned, degrees."""

    name: str
    shape: Shape
    peak: float
    radius: float = 0.55
    axis: float = 0.0


KINDS = (
    Surfaced("flat, 40 degrees", Shape.FLAT, 40.0),
    Surfaced("bent to 0.35 faces, 35 degrees", Shape.BENT, 35.0, 0.35),
    Surfaced("bent to 0.55 faces, 40 degrees", Shape.BENT, 40.0, 0.55),
    Surfaced("bent to 0.8 faces, 42 degrees", Shape.BENT, 42.0, 0.8),
    Surfaced("bent to 0.45 faces about an axis 30 degrees off, 38 degrees", Shape.BENT, 38.0, 0.45, 30.0),
    Surfaced("bent to 0.55 faces about an axis 45 degrees off, 40 degrees", Shape.BENT, 40.0, 0.55, -45.0),
    Surfaced("solid, 24 degrees", Shape.SOLID, 24.0),
)


def turn_table(lab: Lab, photos: Path, people: str, count: int) -> dict[str, object]:
    """Outcomes of whole tries by kind.

    Args:
        lab: opens the tries.
        photos: the folder of `FACEPAY_PHOTOS`.
        people: "development" or "evaluation", disjoint halves.
        count: photos of as many people.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    seconds: dict[str, list[float]] = defaultdict(list)
    rows = []
    for number, (image, mesh) in enumerate(portraits(lab, photos, people, count), 1):
        for kind in KINDS:
            result, lasted = turning(moving_photo(image, mesh, kind), kind, lab.open(Tier.TWO), lab, number)
            why = ",".join((*_refusing(result), *(reason.value for reason in result.reasons)))
            counts[kind.name][f"{result.status.value} {why}".strip()] += 1
            seconds[kind.name].append(lasted)
            rows.append(" ".join((kind.name, result.status.value, why, *_turn_details(result))))
            print(rows[-1], f"{lasted:.2f} s", file=sys.stderr, flush=True)
    medians = {name: round(statistics.median(value), 2) for name, value in seconds.items()}
    return {**{name: dict(value) for name, value in counts.items()}, "seconds_median": medians, "tries": rows}


def turning(
    photo: MovingPhoto,
    kind: Surfaced,
    tried: LivenessSession,
    lab: Lab,
    seed: int,
    costs: dict[PromptKind, list[float]] | None = None,
) -> tuple[PadResult, float]:
    """One photo on its surface, lit by the try's light, and turned to whichever side is asked.

    Args:
        photo: renders it.
        kind: how far it is turned.
        tried: the try.
        lab: finds the face.
        seed: of the hand and the sensor.
        costs: gets the milliseconds of each frame by what was asked then.

    Returns:
        The result, and seconds from the first usable frame to the last.
    """
    noise = np.random.default_rng(seed)
    lamp, face, number, side, asked = None, None, 0, 0, 0
    surface = Surface.FACE if kind.shape is Shape.SOLID else Surface.PAPER
    first = at = 0
    for i in range(_FRAMES):
        at = round(i * 1e9 / RATE) + 1
        # Whoever is asked answers after 0.4 s and takes two thirds of a second for the turn.
        yaw = kind.peak * min(max((i - asked - 12) / 20, 0.0), 1.0)
        pixels = photo.frame(Moved(side * yaw + float(noise.normal(0, 0.3)), float(noise.normal(0, 0.3))))
        pixels = np.clip(pixels + noise.normal(0, 1.5, pixels.shape), 0, 255).astype(np.uint8)
        if lamp is not None and face is not None:
            pixels = lamp.relight(pixels, face[1], at_ns=at)
        began, during = time.perf_counter(), tried.prompt.kind
        detected = i % 10 == 0 or face is None
        box, points = (lab.detect(pixels) if detected else None) or (None, None)
        progress = tried.observe(
            Observation(pixels, at, i, "clip", Origin.REPLAY, box, points, detected=detected)
        )
        if costs is not None:
            costs[during].append((time.perf_counter() - began) * 1000)
        face = progress.face or ((box, points) if box is not None and points is not None else None)
        first = first or (at if progress.usable else 0)
        if progress.prompt.number != number:
            number, asked = progress.prompt.number, i
            tried.shown(at + 20_000_000)
            if progress.prompt.schedule is not None:
                lamp = Relighter(Lamp(progress.prompt.schedule, at + 20_000_000), surface)
            side = {PromptKind.TURN_LEFT: 1, PromptKind.TURN_RIGHT: -1}.get(progress.prompt.kind, 0)
        if progress.finished:
            break
    return tried.conclude(), (at - first) / 1e9


def portraits(lab: Lab, photos: Path, people: str, count: int) -> Iterator[tuple[Pixels, Mesh]]:
    """Frontal photos of different people of one half."""
    used = 0
    for folder in half_of(photos, people, seed=20):
        if used == count:
            return
        image = cv2.imread(str(sorted(folder.glob("*.jpg"))[0]))
        image = np.asarray(cv2.resize(image, (400, 400), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
        found = lab.detect(image)
        mesh = lab.mesh.find(image, *found) if found else None
        if mesh is not None and abs(mesh.pose.yaw) <= 8:
            used += 1
            yield image, mesh


def moving_photo(image: Pixels, mesh: Mesh, kind: Surfaced) -> MovingPhoto:
    """The photo on the surface of this kind."""
    x1, y1, x2, y2 = box_of(mesh)
    return MovingPhoto(
        image,
        kind.shape,
        centre=((x1 + x2) / 2, (y1 + y2) / 2),
        face_height=y2 - y1,
        bend_radius=kind.radius,
        bend_axis=kind.axis,
        landmarks=mesh.points,
    )


def _refusing(result: PadResult) -> tuple[str, ...]:
    """Names of the cues that refused."""
    return tuple(cue.cue.value for cue in result.cues if cue.status is Status.REFUSE)


def _turn_details(result: PadResult) -> tuple[str, ...]:
    turn = next((cue for cue in result.cues if cue.cue.value == "turn"), None)
    return tuple(f"{name}={value:.3f}" for name, value in turn.details) if turn else ()
