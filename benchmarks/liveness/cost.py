"""What liveness costs on this machine, and how soon each tier is decided."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.liveness.lab import Lab, clip, run
from benchmarks.liveness.motion import KINDS, moving_photo, portraits, turning
from hardware.motion_simulation import HandHeldStill
from liveness.chroma import CodeBook
from liveness.codebook import schedule_of
from liveness.light import light_at
from liveness.simulation.motion import Shape
from liveness.simulation.relight import Surface
from liveness.turn import SIDES
from liveness.types import Pixels, PromptKind, Tier


def cost_table(lab: Lab, photos: Path) -> dict[str, object]:
    """Milliseconds and seconds, next to a fixed matrix product that says how fast the machine was just then.

    A frame's cost holds the detector on every tenth frame and everything of liveness. The seconds run from
    the first usable frame in the clip's own time; tier 2 is a simulated head, see the table of motion.
    """
    frames = _frames(photos, 75)
    costs: list[float] = []
    decode = _decode_ms()
    run(lab, iter(frames), Tier.ONE, Surface.FACE, costs=costs)
    decided = {}
    for tier in (Tier.ZERO, Tier.ONE):
        path = sorted(photos.glob("bona_fide/*.mp4"))[-1]
        result, lasted = run(lab, clip(path, 0), tier, Surface.FACE)
        decided[f"tier {int(tier)}"] = f"{result.status.value} after {lasted:.2f} s"
    return {
        "frames": len(costs),
        "frame_ms_median_720p": round(statistics.median(costs), 1),
        "frame_ms_p95_720p": round(sorted(costs)[int(0.95 * len(costs))], 1),
        "flash_decode_ms": round(decode, 2),
        **_turn(lab, photos),
        "decided": decided,
        "matrix_512_ms": round(_matrix_ms(), 2),
    }


def _turn(lab: Lab, photos: Path) -> dict[str, object]:
    """Frames of a simulated head while its turn is followed; of five people the first that is accepted."""
    costs: dict[PromptKind, list[float]] = defaultdict(list)
    kind = next(kind for kind in KINDS if kind.shape is Shape.SOLID)
    for number, (image, mesh) in enumerate(portraits(lab, photos, "development", 5), 1):
        scale, left = 720 / image.shape[0], (1280 - 720) // 2
        canvas = np.full((720, 1280, 3), 112, np.uint8)
        canvas[:, left : left + 720] = cv2.resize(image, (720, 720), interpolation=cv2.INTER_CUBIC)
        placed = mesh.points * np.float32(scale) + np.array([left, 0, 0], np.float32)
        photo = moving_photo(canvas, replace(mesh, points=placed), kind)
        result, lasted = turning(photo, kind, lab.open(Tier.TWO), lab, number, costs)
        if result.accepted:
            break
        costs.clear()
    turned = sorted(cost for asked in SIDES for cost in costs[asked])
    if not turned:
        return {"tier 2": "no simulated head was accepted"}
    return {
        "turn_frame_ms_median_720p": round(statistics.median(turned), 1),
        "turn_frame_ms_p95_720p": round(turned[int(0.95 * len(turned))], 1),
        "turn_frames": len(turned),
        "tier 2": f"{result.status.value} after {lasted:.2f} s",
    }


def _frames(photos: Path, count: int) -> list[Pixels]:
    photo = cv2.imread(str(next(iter(sorted(photos.glob("bona_fide/*.jpg"))))))
    still = HandHeldStill(np.asarray(cv2.resize(photo, (1280, 720)), dtype=np.uint8), (1280, 720), 1)
    return [still.frame() for _ in range(count)]


def _decode_ms() -> float:
    book, t = CodeBook(), np.arange(0, 1300, 33, dtype=np.float32)
    tones = (0.4 + 0.03 * light_at(schedule_of(7), t - 70)).astype(np.float32)
    return _median_ms(lambda: book.decode(tones, t, 7, window_ms=(20.0, 150.0)))


def _matrix_ms() -> float:
    matrix = np.ones((512, 512), dtype=np.float32)
    return _median_ms(lambda: matrix @ matrix)


def _median_ms(work: Callable[[], object]) -> float:
    return statistics.median(_timed(work))


def _timed(work: Callable[[], object]) -> Iterator[float]:
    for _ in range(30):
        began = time.perf_counter()
        work()
        yield (time.perf_counter() - began) * 1000
