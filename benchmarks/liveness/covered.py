"""Whole tries on photos of people whose faces are covered by masks and the like."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from benchmarks.liveness.lab import Lab, clip, run
from liveness.simulation.relight import Surface
from liveness.types import Tier


def covered_table(lab: Lab, photos: Path) -> dict[str, object]:
    """Tier 1 over every covered face, held in an unsteady hand and lit as a face: outcomes, with why.

    A mask that is not noticed makes a try like anybody's. Nothing here may end in an exception, which a
    session reports as `internal`.
    """
    counts: Counter[str] = Counter()
    for path in sorted(photos.glob("masked/*.jpg")):
        result, _ = run(lab, clip(path, 0, 70), Tier.ONE, Surface.FACE)
        counts[f"{result.status.value} {','.join(reason.value for reason in result.reasons)}".strip()] += 1
        print(dict(counts), file=sys.stderr, flush=True)
    return {"tries": counts.total(), "outcomes": dict(counts.most_common())}
