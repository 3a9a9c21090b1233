"""`facepay calibrate`: measures false match rates on photos and writes the thresholds of a pack."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from facepay.cli.exits import Exit
from facepay.cli.measuring import add_photo_arguments, embedded_photos, named_engine
from facepay.evaluation.calibrating import make_calibration
from facepay.evaluation.comparisons import compare_all
from facepay.evaluation.embedding import EmbeddedSet
from facepay.evaluation.verification import fnmr_at
from facepay.recognition.calibration import Calibration, Provenance, format_calibration
from facepay.recognition.engine import RecognitionEngine
from facepay.settings import Settings

_GALLERIES = (1, 10, 100, 1_000, 10_000, 100_000)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    add_photo_arguments(parser)
    parser.add_argument("--data-name", default="", help="what the photos are, for the record")
    parser.add_argument("--note", default="", help="what a reader of the thresholds has to know")
    parser.add_argument("--output", type=Path, metavar="DIR", help="write here (default: data folder)")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Measure, write, and say what it means."""
    engine, detector_digest = named_engine(arguments, settings)
    embedded = embedded_photos(arguments, engine, settings)
    comparisons = compare_all(embedded.features, embedded.identity)
    provenance = _provenance(arguments, engine, embedded, comparisons.impostors, len(comparisons.genuine))
    calibration = make_calibration(comparisons, engine.model, detector_digest, provenance)
    folder = arguments.output or settings.data / "calibrations"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{engine.spec.name}.calibration.toml"
    path.write_text(format_calibration(calibration), "utf-8")
    target = settings.recognition.target_fpir
    rows = [
        {
            "references": size,
            "threshold": round(threshold.score, 4),
            "fmr": threshold.fmr,
            "extrapolated": threshold.extrapolated,
            "fnmr": str(fnmr_at(comparisons, threshold.score)),
        }
        for size in _GALLERIES
        for threshold in [calibration.threshold_for(size, target)]
    ]
    if arguments.json:
        print(json.dumps({"file": str(path), "target_fpir": target, "thresholds": rows}, indent=1))
        return Exit.DONE
    _print(calibration, path, target, rows)
    return Exit.DONE


def _provenance(
    arguments: argparse.Namespace,
    engine: RecognitionEngine,
    embedded: EmbeddedSet,
    impostors: int,
    genuine: int,
) -> Provenance:
    data = arguments.data_name or arguments.photos.name
    return Provenance(
        datetime.now(UTC).date().isoformat(),
        f"{data}: {len(embedded.photos)} photos of {len(embedded.names)} people",
        embedded.digest,
        len(embedded.names),
        impostors,
        genuine,
        f"facepay calibrate --pack {engine.spec.name} --photos {arguments.photos.name}",
        arguments.note,
    )


def _print(calibration: Calibration, path: Path, target: float, rows: list[dict[str, object]]) -> None:
    made = calibration.provenance
    print(f"{made.impostor_comparisons} comparisons of different people,", end=" ")
    print(f"{made.genuine_comparisons} of the same person")
    print(f"thresholds that identify at most one stranger in {1 / target:.0f}:")
    for row in rows:
        mark = "  extrapolated: no measurement reaches this far" if row["extrapolated"] else ""
        print(f"  {row['references']:>7} references  {row['threshold']:.3f}  missed: {row['fnmr']}{mark}")
    print(f"rates below {calibration.smallest_shown:.1e} are not shown by these photos but fitted")
    print(f"written to {path}")
