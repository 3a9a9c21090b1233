"""What liveness costs on this machine, and how soon each tier is decided."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.liveness.lab import Lab, clip, run
from hardware.motion_simulation import HandHeldStill
from liveness.chroma import CodeBook
from liveness.codebook import schedule_of
from liveness.light import light_at
from liveness.simulation.relight import Surface
from liveness.types import Pixels, Tier


def cost_table(lab: Lab, photos: Path) -> dict[str, object]:
    """Milliseconds and seconds, next to a fixed matrix product that says how fast the machine was just then.

    A frame's cost holds the detector on every tenth frame and everything of liveness. The seconds run from
    the first usable frame in the clip's own time; tier 2 is in the table of simulated motion.
    """
    frames = _frames(photos, 75)
    costs: list[float] = []
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
        "flash_decode_ms": round(_decode_ms(), 2),
        "decided": decided,
        "matrix_512_ms": round(_matrix_ms(), 2),
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
