"""`python -m training STUDENT STEP`: one command a step; `training/README.md` lists them."""

from __future__ import annotations

import argparse
import importlib
import os
from pathlib import Path
from typing import Any

from training.people import link_held_out

TASKS = {
    "detector": "training.detector:DetectorTask",
    "mesh": "training.mesh:MeshTask",
    "passive": "training.passive:PassiveTask",
    "recogniser": "training.recogniser:RecogniserTask",
}
POOLED = ("mesh", "passive")
"""Students whose pictures are made beforehand, because their teachers cost more than they do."""


def main() -> None:
    """Read the command line and do the step."""
    options = _arguments()
    if options.what == "held-out":
        print(f"{link_held_out(options.photos, options.out)} photos of people who are not trained on")
    elif options.what == "cards":
        from training.cards import write_cards

        write_cards(options.figures)
    else:
        _step(options)


def _step(options: argparse.Namespace) -> None:
    import torch

    from training.files import write_files
    from training.loop import train

    torch.set_num_threads(options.threads)
    module, name = TASKS[options.what].split(":")
    task: Any = getattr(importlib.import_module(module), name)
    if options.step == "pool":
        task.make_pool(options.photos, options.models, options.work, options.count, options.keep_out)
    elif options.step == "export":
        write_files(task, options.work)
    else:
        made = task(options.photos, options.models, options.work)
        train(made, options.work, options.steps, report=options.report, fused=options.fused)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True, metavar="STUDENT|held-out|cards")
    for student in sorted(TASKS):
        steps = what.add_parser(student).add_subparsers(dest="step", required=True)
        for step in (*(("pool",) if student in POOLED else ()), "train", "export"):
            _step_arguments(steps.add_parser(step), step)
    held_out = what.add_parser("held-out", help="link the photos of the people who are not trained on")
    _add_folder(held_out, "photos", "FACEPAY_PHOTOS")
    held_out.add_argument("--out", type=Path, required=True)
    cards = what.add_parser("cards", help="write measured figures into the model cards")
    cards.add_argument("--figures", type=Path, default=Path("benchmarks/results"))
    return parser.parse_args()


def _step_arguments(parser: argparse.ArgumentParser, step: str) -> None:
    _add_folder(parser, "photos", "FACEPAY_PHOTOS")
    _add_folder(parser, "models", "FACEPAY_MODELS")
    parser.add_argument("--work", type=Path, default=Path("training_work"))
    parser.add_argument("--threads", type=int, default=1)
    if step == "pool":
        parser.add_argument(
            "--keep-out", action="append", default=[], metavar="GLOB", help="recordings to judge on"
        )
        parser.add_argument("--count", type=int, default=30_000, help="pictures in the pool")
    if step == "train":
        parser.add_argument("--steps", type=int, default=5_000)
        parser.add_argument("--report", type=int, default=500)
        parser.add_argument("--fused", action="store_true", help="compile the student first")


def _add_folder(parser: argparse.ArgumentParser, name: str, variable: str) -> None:
    parser.add_argument(f"--{name}", type=Path, default=Path(os.environ.get(variable, ".")), metavar="DIR")


if __name__ == "__main__":
    main()
