"""Something before mouth or eyes: worn masks in whole tries, painted covers, and bare faces."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from benchmarks.liveness.lab import Lab, clip, half_of, run
from liveness.covering import CoverJudge, laid
from liveness.landmarks import five_points
from liveness.quality import GateLimits
from liveness.simulation.covers import Cover, covered
from liveness.simulation.relight import Surface
from liveness.types import Mesh, Pixels, Tier

_LIMIT = GateLimits().max_covered


def covered_table(lab: Lab, photos: Path, people: str, count: int) -> dict[str, object]:
    """Tries of every worn cover at tiers 0 and 1, and single looks at people of one half.

    Args:
        lab: opens the tries.
        photos: the folder of `FACEPAY_PHOTOS`.
        people: "development" or "evaluation".
        count: people to look at.
    """
    return {
        **{f"worn, tier {tier.value}": _tries(lab, photos, tier) for tier in (Tier.ZERO, Tier.ONE)},
        **_looks(lab, photos, people, count),
    }


def _tries(lab: Lab, photos: Path, tier: Tier) -> dict[str, int]:
    """Held in an unsteady hand and lit as a face; a mask that is not noticed makes a try like anybody's."""
    counts: Counter[str] = Counter()
    for path in sorted(photos.glob("masked/*.jpg")):
        result, _ = run(lab, clip(path, 0, 70), tier, Surface.FACE)
        counts[f"{result.status.value} {','.join(reason.value for reason in result.reasons)}".strip()] += 1
        print(tier.value, dict(counts), file=sys.stderr, flush=True)
    return dict(counts.most_common())


def _looks(lab: Lab, photos: Path, people: str, count: int) -> dict[str, object]:
    judge = CoverJudge()
    bare: list[tuple[float, bool]] = []
    painted: Counter[str] = Counter()
    for number, folder in enumerate(half_of(photos, people, seed=47)[:count]):
        photo = cv2.imread(str(sorted(folder.glob("*.jpg"))[0]))
        mesh = _mesh(lab, photo)
        if mesh is None or abs(mesh.pose.yaw) > GateLimits().max_yaw:
            continue
        bare.append((_tone(photo, mesh), _seen(judge, photo, mesh)))
        for cover in Cover:
            worn = covered(photo, mesh.points, cover, seed=number)
            found = _mesh(lab, worn)
            said = "no face" if found is None else "seen" if _seen(judge, worn, found) else "missed"
            painted[f"{cover.value}: {said}"] += 1
    return {
        "bare faces asked to uncover, by the tone of their skin": _by_tone(bare),
        "painted": dict(sorted(painted.items())),
    }


def _mesh(lab: Lab, photo: Pixels) -> Mesh | None:
    found = lab.detect(photo)
    return lab.mesh.find(photo, *found) if found else None


def _seen(judge: CoverJudge, photo: Pixels, mesh: Mesh) -> bool:
    found = judge.judge(photo, five_points(mesh))
    return found is not None and max(found.mouth, found.eyes) > _LIMIT


def _tone(photo: Pixels, mesh: Mesh) -> float:
    """Individual typology angle of forehead and cheeks in degrees, higher for lighter skin (Chardon 1991)."""
    face = laid(photo, five_points(mesh))
    if face is None:
        return 0.0
    skin = np.concatenate([face[8:24, 32:80].reshape(-1, 3), face[48:64, 16:40].reshape(-1, 3)])
    lab = np.median(cv2.cvtColor(skin[None].astype(np.float32) / 255.0, cv2.COLOR_BGR2LAB)[0], axis=0)
    return float(np.degrees(np.arctan2(lab[0] - 50.0, lab[2])))


def _by_tone(bare: list[tuple[float, bool]]) -> dict[str, str]:
    """Counts in thirds of the people, from the darkest photographed skin to the lightest."""
    ordered = sorted(bare)
    thirds = np.array_split(np.arange(len(ordered)), 3)
    rows = {"all": f"{sum(seen for _, seen in bare)} of {len(bare)}"}
    for name, part in zip(("darkest third", "middle third", "lightest third"), thirds, strict=True):
        tones = [ordered[i][0] for i in part]
        asked = sum(ordered[i][1] for i in part)
        rows[name] = f"{asked} of {len(part)} ({tones[0]:.0f} to {tones[-1]:.0f} degrees)"
    return rows
