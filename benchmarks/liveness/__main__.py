"""What liveness does on recordings and photos: three tables that never merge, and what it costs.

    python -m benchmarks.liveness [PART ...] [--people HALF] [--photos N] [--pack PACK] [--fooled]
                                   [--five-points] [--json FILE]

Real: bona fide recordings with the light of this try added (relit), replay recordings with a
display's faint reflection of it, and prints, which return it like skin. Simulated: photos moved flat,
bent and solid for the turn, and re-photographed for the passive networks. Integrity: the injection
fuzzers. A relit recording stands in for a person before a lit display, no more; the first table says
so in its name. Counts are of tries.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import cv2

from benchmarks.arguments import need
from benchmarks.liveness.cost import cost_table
from benchmarks.liveness.covered import covered_table
from benchmarks.liveness.injection import integrity_table
from benchmarks.liveness.lab import Lab
from benchmarks.liveness.limits import limits_table
from benchmarks.liveness.motion import turn_table
from benchmarks.liveness.recordings import real_table
from benchmarks.liveness.rephotographs import passive_table
from benchmarks.liveness.turns import turns_table
from benchmarks.results import FOLDER, draw_bars

PARTS = ("recordings", "covered", "motion", "turns", "rephotographs", "limits", "injection", "cost")


def main() -> None:
    """Print the tables that are asked for, write them as JSON, and draw what a frame costs."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; default all")
    arguments.add_argument("--people", choices=("development", "evaluation"), default="evaluation")
    arguments.add_argument("--photos", type=int, default=10, help="people per simulated kind")
    arguments.add_argument("--json", type=Path, default=FOLDER / "liveness.json")
    arguments.add_argument(
        "--fooled", action="store_true", help="let the passive networks take everything for a person"
    )
    arguments.add_argument("--five-points", action="store_true", help="go without landmarks")
    arguments.add_argument("--pack", default="commerce", help="whose networks; commerce or builtin")
    options = arguments.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        arguments.error(f"no part {unknown.pop()}; there are {', '.join(PARTS)}")
    cv2.setNumThreads(1)
    photos, models = need("FACEPAY_PHOTOS"), need("FACEPAY_MODELS")
    lab = Lab(models, options.pack, fooled=options.fooled, five_points=options.five_points)
    tables: dict[str, tuple[str, Callable[[], object]]] = {
        "recordings": ("real recordings, relit (tier 1)", lambda: real_table(lab, photos)),
        "covered": (
            f"covered faces (simulated light), {options.people}",
            lambda: covered_table(lab, photos, options.people, 30 * options.photos),
        ),
        "motion": (
            f"simulated motion (tier 2), {options.people}",
            lambda: turn_table(lab, photos, options.people, options.photos),
        ),
        "turns": (
            f"simulated turns alone, {options.people}",
            lambda: turns_table(lab, photos, options.people, options.photos),
        ),
        "rephotographs": (
            "simulated re-photographs (passive pair accepts)",
            lambda: passive_table(lab, photos, 3 * options.photos),
        ),
        "limits": (
            f"limits on people never looked at (simulated light), {options.people}",
            lambda: limits_table(lab, photos, options.people, 3 * options.photos),
        ),
        "injection": ("integrity (fuzzers refused)", lambda: integrity_table(photos)),
        "cost": ("cost", lambda: cost_table(lab, photos)),
    }
    report = {title: table() for name, (title, table) in tables.items() if name in (options.parts or PARTS)}
    print(json.dumps(report, indent=2))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    cost = report.get("cost")
    if isinstance(cost, dict):
        times = {name: value for name, value in cost.items() if "_ms" in name and isinstance(value, float)}
        draw_bars("liveness", list(times), list(times.values()), "ms")


if __name__ == "__main__":
    main()
