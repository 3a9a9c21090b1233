"""What the limits of light, stream and gate rest on: where each kind of light lies, and what is said of it.

Photos of one half of the people, held in an unsteady hand and lit by simulation: how often the right code,
another one and no light are taken for the right one or called wrong; how often an honest stream is
called looped or shuffled; what the quality gate says of ordinary photos.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import cv2
import numpy as np

from benchmarks.liveness.lab import RATE, Lab, half_of
from hardware.motion_simulation import HandHeldStill
from liveness.chroma import CodeBook
from liveness.codebook import CODE_COUNT, schedule_of
from liveness.flash import FlashCue, FlashLimits
from liveness.integrity import StreamIntegrity
from liveness.quality import GateLimits, gate, measure_quality
from liveness.simulation.relight import Lamp, Relighter
from liveness.stream_limits import limits_for
from liveness.tones import measure_tones
from liveness.types import (
    CueResult,
    FaceQuality,
    Floats,
    Hint,
    Look,
    Observation,
    Origin,
    Pixels,
    Presentation,
    Prompt,
    PromptKind,
    Shown,
)

_FRAMES = 45
_SHOWN_NS = 100_000_000


def limits_table(lab: Lab, photos: Path, people: str, count: int) -> dict[str, object]:
    """Counts over as many people of one half, "development" or "evaluation"."""
    chosen = half_of(photos, people, seed=31)
    book, light, streams, hints = CodeBook(), Counter[str](), Counter[str](), Counter[str]()
    measured: dict[str, list[dict[str, float]]] = defaultdict(list)
    for number, folder in enumerate(chosen[:count]):
        photo = cv2.imread(str(sorted(folder.glob("*.jpg"))[0]))
        image = np.asarray(cv2.resize(photo, (480, 480), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
        found = lab.detect(image)
        if found is None:
            continue
        mesh = lab.mesh.find(image, *found)
        hints[gate(measure_quality(image, *found, mesh=mesh, motion_iod_per_s=None), GateLimits()).value] += 1
        still = HandHeldStill(image, (480, 480), number)
        frames = [still.frame() for _ in range(_FRAMES)]
        streams[_stream(frames)] += 1
        points = [(lab.detect(frame) or found)[1] for frame in frames]
        for what, shown, asked in _trials(number):
            result = _flash(book, frames, points, shown, asked)
            light[f"{what}: {_said(result)}"] += 1
            measured[what].extend([dict(result.details)] if result.details else [])
    return {
        "light": dict(sorted(light.items())),
        "quantiles 0 1 5 50 95 99 100 %": {what: _quantiles(rows) for what, rows in measured.items()},
        "honest streams": dict(streams),
        "gate": dict(hints),
    }


def _quantiles(rows: list[dict[str, float]]) -> dict[str, str]:
    """Of the numbers that have limits; `ahead` is how much better the best code explains the light."""
    ahead = [row["best_correlation"] - row["correlation"] for row in rows]
    columns = {
        name: [row[name] for row in rows] for name in ("correlation", "rank", "ratio", "best_correlation")
    }
    return {
        name: " ".join(f"{value:.3g}" for value in np.quantile(values, (0, 0.01, 0.05, 0.5, 0.95, 0.99, 1)))
        for name, values in {**columns, "ahead": ahead}.items()
    }


def _trials(number: int) -> list[tuple[str, tuple[int, float] | None, int]]:
    """What is called how, which code shines at which ratio, and which is asked for."""
    code, other = (97 * number + 11) % CODE_COUNT, (97 * number + 311) % CODE_COUNT
    right = [(f"right code at {ratio:.1%}", (code, ratio), code) for ratio in (0.05, 0.03, 0.015)]
    return [*right, ("another code at 5.0%", (other, 0.05), code), ("no light", None, code)]


def _flash(
    book: CodeBook, frames: list[Pixels], points: list[Floats], shown: tuple[int, float] | None, asked: int
) -> CueResult:
    lamp = Relighter(Lamp(schedule_of(shown[0]), _SHOWN_NS, shown[1])) if shown else None
    looks = []
    for i, (frame, place) in enumerate(zip(frames, points, strict=True)):
        at = round(i * 1e9 / RATE) + 1
        lit = lamp.relight(frame, place, at_ns=at) if lamp else frame
        tones = measure_tones(lit, place)
        looks.append(_look(at, place, tones))
    prompt = Shown(Prompt(PromptKind.FLASH, 1, schedule=schedule_of(asked)), _SHOWN_NS)
    return FlashCue(asked, FlashLimits(), book).assess(Presentation(tuple(looks), (prompt,)))


def _said(result: CueResult) -> str:
    return f"{result.status.value} {','.join(reason.value for reason in result.reasons)}".strip()


def _look(at_ns: int, points: Floats, tones: tuple[Floats, float] | None) -> Look:
    quality = FaceQuality(70.0, 0.4, True, 0.1, 0.0, 0.0, 100.0, 0.8, None, None, None, None, None)
    measured, clipped = tones or (None, 1.0)
    return Look(
        at_ns, (0.0, 0.0, 1.0, 1.0), points, None, measured, clipped, quality, Hint.NONE, None, None, None
    )


def _stream(frames: list[Pixels]) -> str:
    watch = StreamIntegrity(limits_for(Origin.BROWSER), nominal_rate=None, memory=None)
    for i, frame in enumerate(frames):
        watch.watch(Observation(frame, round(i * 1e9 / RATE) + 1, i, "still", Origin.BROWSER))
    return _said(watch.conclude())
