"""Tier 1 on recordings, with the light of the try added: the table of real people and real attacks."""

from __future__ import annotations

import statistics
import sys
from collections import Counter
from pathlib import Path

from benchmarks.liveness.lab import Lab, clip, run
from liveness.simulation.relight import Surface
from liveness.types import PadResult, Tier

STARTS = (0, 40)


def real_table(lab: Lab, photos: Path) -> dict[str, object]:
    """Tier 1 with relit flash on the shared recordings."""
    bona_fide = [*sorted(photos.glob("bona_fide/*")), *sorted(photos.glob("video/*.mp4"))]
    groups = {
        "bona fide": (bona_fide, Surface.FACE),
        "replay": (sorted(photos.glob("attacks/replay/*.mp4")), Surface.DISPLAY),
        "print": (sorted(photos.glob("attacks/print/*")), Surface.PAPER),
    }
    return {name: _group(lab, paths, surface) for name, (paths, surface) in groups.items()}


def _group(lab: Lab, paths: list[Path], surface: Surface) -> dict[str, object]:
    counts: Counter[str] = Counter()
    rows, seconds, frames_ms = [], [], []
    for number, path in enumerate(paths):
        for start in STARTS if path.suffix == ".mp4" else STARTS[:1]:
            costs: list[float] = []
            result, lasted = run(lab, clip(path, start), Tier.ONE, surface, costs=costs)
            counts[result.status.value] += 1
            seconds.append(lasted)
            frames_ms.append(statistics.median(costs))
            rows.append(f"clip {number} from {start}: {_said(result)} after {lasted:.2f} s")
            print(rows[-1], file=sys.stderr, flush=True)
    return {
        "counts": dict(counts),
        "seconds_median": round(statistics.median(seconds), 2),
        "frame_ms_median": round(statistics.median(frames_ms), 1),
        "tries": rows,
    }


def _said(result: PadResult) -> str:
    cues = [
        f"{cue.cue.value} {cue.status.value} {','.join(r.value for r in cue.reasons)} "
        + " ".join(f"{name}={value:.2f}" for name, value in cue.details)
        for cue in result.cues
        if cue.cue.value in {"passive", "flash", "quality"} and cue.status.value != "ok"
    ]
    return "; ".join([f"{result.status.value} {','.join(r.value for r in result.reasons)}", *cues])
