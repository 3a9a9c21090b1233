"""`facepay calibrate`: measures false match rates on photos and writes the thresholds of a pack."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from facepay.cli.exits import Exit
from facepay.cli.measuring import (
    add_photo_arguments,
    embedded_photos,
    named_engine,
    require_writable,
    what_was_left_out,
)
from facepay.evaluation.calibrating import make_calibration
from facepay.evaluation.comparisons import TAIL_SHARE, Comparisons, compare_all
from facepay.evaluation.datasets import printable
from facepay.evaluation.embedding import EmbeddedSet
from facepay.evaluation.textfiles import written_text
from facepay.evaluation.verification import fnmr_at
from facepay.recognition.calibration import Calibration, Provenance
from facepay.recognition.calibration_files import calibration_name, format_calibration
from facepay.recognition.engine import RecognitionEngine
from facepay.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    add_photo_arguments(parser)
    parser.add_argument("--data-name", default="", help="what the photos are, for the record")
    parser.add_argument("--note", default="", help="what a reader of the thresholds has to know")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="write here, such as beside the pack's file (data folder)"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Measure, write, and say what it means."""
    folder = arguments.output or settings.data / "calibrations"
    require_writable(folder)
    engine, detector_digest = named_engine(arguments, settings)
    target = settings.recognition.target_fpir
    with embedded_photos(arguments, engine, settings) as embedded:
        # The loosest threshold on record, for one reference, has to lie among the exact scores.
        share = max(TAIL_SHARE, 1.5 * target)
        comparisons = compare_all(embedded.features, embedded.identity, share=share)
        provenance = _provenance(arguments, engine, embedded, comparisons)
        calibration = make_calibration(
            comparisons, (engine.model, detector_digest), provenance, target_fpir=target
        )
        path = folder / calibration_name(engine.spec)
        with written_text(path) as stream:
            stream.write(format_calibration(calibration))
    if arguments.json:
        rows = [
            {**asdict(made), "fnmr": str(fnmr_at(comparisons, made.score))} for made in calibration.record
        ]
        print(json.dumps({"file": str(path), "target_fpir": target, "thresholds": rows}, indent=1))
        return Exit.DONE
    _print(calibration, comparisons, path)
    for sentence in what_was_left_out(arguments.photos, embedded):
        print(sentence)
    return Exit.DONE


def _provenance(
    arguments: argparse.Namespace, engine: RecognitionEngine, embedded: EmbeddedSet, comparisons: Comparisons
) -> Provenance:
    photos = printable(arguments.photos.resolve().name)
    data = arguments.data_name or photos
    return Provenance(
        datetime.now(UTC).date().isoformat(),
        f"{data}: {len(embedded.photos)} photos of {len(embedded.names)} people",
        embedded.digest,
        len(embedded.names),
        comparisons.impostors,
        len(comparisons.genuine),
        f"facepay calibrate --pack {engine.spec.name} --photos {photos}",
        arguments.note,
    )


def _print(calibration: Calibration, comparisons: Comparisons, path: Path) -> None:
    made = calibration.provenance
    print(f"{made.impostor_comparisons} comparisons of different people,", end=" ")
    print(f"{made.genuine_comparisons} of the same person")
    for row in calibration.record:
        score = f"{row.score:.3f} ({row.low:.3f} to {row.high:.3f})"
        mark = "  extrapolated: no measurement reaches this far" if row.extrapolated else ""
        print(f"  {row.references:>7} references  {score}  missed: {fnmr_at(comparisons, row.score)}{mark}")
    print(f"these thresholds identify at most one stranger in {1 / calibration.record[0].target_fpir:.0f};")
    print("in brackets where they lie with 95 % confidence, by bootstrap over people; where extrapolated,")
    print("only if the tail of the highest scores goes on as it was fitted to these photos")
    print(f"rates below {calibration.smallest_shown:.1e} are not shown by these photos but fitted")
    print(f"written to {path}")
