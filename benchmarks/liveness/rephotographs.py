"""The passive pair on photos, plain and photographed again; every one is simulated."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import cv2

from benchmarks.liveness.lab import Lab
from liveness.simulation.rephotograph import Medium, Setup, rephotograph


def passive_table(lab: Lab, photos: Path, count: int) -> dict[str, object]:
    """Share of photos the passive pair accepts, plain and re-photographed; no error rate of attacks."""
    chosen = random.Random(21).sample(sorted(photos.glob("lfw/*/*.jpg")), count)
    media = {
        "file": None,
        "display": Setup(Medium.DISPLAY, display_px_per_px=0.8),
        "print": Setup(Medium.PRINT),
    }
    accepted: Counter[str] = Counter()
    for path in chosen:
        image = cv2.resize(cv2.imread(str(path)), (500, 500), interpolation=cv2.INTER_CUBIC)
        for name, setup in media.items():
            seen = image if setup is None else rephotograph(image, setup)
            found = lab.detect(seen)
            score = lab.pair.score(seen, *found) if found else None
            accepted[name] += score is not None and score >= 0.5
    return {name: f"{accepted[name]}/{count}" for name in media}
