"""`facepay evaluate`: error rates of a pack on photos, of liveness on samples, or from a score file."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from facepay.cli.exits import Exit
from facepay.cli.measuring import add_photo_arguments, embedded_photos, named_engine
from facepay.errors import InputUnusable
from facepay.evaluation.attacks import Trial, attack_rates
from facepay.evaluation.embedding import EmbeddedSet, Fate
from facepay.evaluation.fairness import fairness_table, load_groups
from facepay.evaluation.intervals import Rate, percent
from facepay.evaluation.latency import measure_latency
from facepay.evaluation.presenting import embed_references, present, trials_of
from facepay.evaluation.recognition import measure
from facepay.evaluation.report import to_json, write_report
from facepay.evaluation.results import RecognitionResult, Report, Source, histogram_of, this_machine
from facepay.evaluation.samples import load_references, load_samples
from facepay.evaluation.scorefiles import comparisons_of, read_scores, rows_of, write_scores
from facepay.evaluation.verification import det_curve, operating_points
from facepay.recognition.calibration import Calibration
from facepay.recognition.calibration_files import find_calibration
from facepay.recognition.engine import RecognitionEngine
from facepay.settings import Settings
from facepay.terminal.engines import build_tries
from keys import MemoryKeyStore
from liveness.types import Tier

TITLES = {"recognition": "Recognition", "fairness": "Recognition by group", "liveness": "Liveness"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("what", nargs="?", choices=[*TITLES], help="what to measure")
    parser.add_argument("--scores", type=Path, metavar="FILE", help="report on a score file instead")
    add_photo_arguments(parser, required=False)
    parser.add_argument("--samples", type=Path, metavar="DIR", help="bona_fide/ and attacks/SPECIES/")
    tiers = [int(tier) for tier in Tier]
    parser.add_argument(
        "--tier", type=int, nargs="+", choices=tiers, default=[0], help="liveness tiers to ask for (0)"
    )
    parser.add_argument("--groups", type=Path, metavar="CSV", help="identity,group for `fairness`")
    parser.add_argument("--fpir", type=float, default=1e-3, help="target FPIR of the threshold (0.001)")
    parser.add_argument("--write-scores", type=Path, metavar="FILE", help="write every comparison's score")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write report.html and report.json here")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Measure, then write the report and say the main figures."""
    if (arguments.what is None) == (arguments.scores is None):
        raise InputUnusable(
            "say what to measure: recognition or fairness with --photos, liveness with --samples, "
            "or --scores FILE"
        )
    if arguments.scores:
        report = _from_scores(arguments.scores)
    elif arguments.what == "liveness":
        report = _from_samples(arguments, settings)
    else:
        report = _from_photos(arguments, settings)
    if arguments.json:
        print(to_json(report), end="")
    else:
        _print(report)
    if arguments.out:
        page, _ = write_report(report, arguments.out)
        print(f"report: {page}", file=sys.stderr)
    return Exit.DONE


def _report(title: str) -> Report:
    return Report(title, datetime.now(UTC), this_machine())


def _from_photos(arguments: argparse.Namespace, settings: Settings) -> Report:
    if arguments.what == "fairness" and arguments.groups is None:
        raise InputUnusable("fairness needs --groups CSV with the columns identity and group")
    groups = load_groups(arguments.groups) if arguments.groups else {}
    if arguments.photos is None:
        raise InputUnusable("name the photos with --photos: a folder that holds one folder for each person")
    engine, _ = named_engine(arguments, settings)
    embedded = embedded_photos(arguments, engine, settings)
    result, _ = measure(embedded, pack=engine.spec.name, model=engine.model)
    report = replace(
        _report(f"{TITLES[arguments.what]}: pack {engine.spec.name}"),
        recognition=result,
        latency_ms=measure_latency(embedded.photos, engine),
    )
    if arguments.write_scores:
        with arguments.write_scores.open("w", encoding="utf-8") as stream:
            write_scores(rows_of(embedded.photos, embedded.features), stream)
    remarks = _damaged(embedded)
    if arguments.what == "fairness":
        size = len(embedded.names)
        threshold = _calibration(engine, settings).threshold_for(size, arguments.fpir)
        if threshold.extrapolated:
            remarks.append("The deployed threshold lies beyond the calibration data and is extrapolated.")
        table = fairness_table(
            embedded.features, embedded.identity, embedded.names, groups, threshold=threshold.score
        )
        report = replace(report, fairness=table)
    return replace(report, remarks=tuple(remarks))


def _damaged(embedded: EmbeddedSet) -> list[str]:
    paths = [photo.path for photo, fate in embedded.failed if fate is Fate.UNREADABLE]
    named = ", ".join(f"{path.parent.name}/{path.name}" for path in paths[:5])
    more = " and others" if len(paths) > 5 else ""
    return [f"{len(paths)} photos could not be read and were left out: {named}{more}."] if paths else []


def _from_samples(arguments: argparse.Namespace, settings: Settings) -> Report:
    if arguments.samples is None:
        raise InputUnusable("name the samples with --samples: a folder with bona_fide/ and attacks/SPECIES/")
    samples, tiers = load_samples(arguments.samples), [Tier(number) for number in sorted({*arguments.tier})]
    engine, _ = named_engine(arguments, settings)
    threshold = _calibration(engine, settings).threshold_for(1, arguments.fpir).score
    enrolled = embed_references(load_references(arguments.samples), engine)
    tries = build_tries(settings, engine, MemoryKeyStore())
    trials: list[Trial] = []
    silent = True if arguments.json else None
    with tqdm(total=len(tiers) * len(samples), unit="sample", disable=silent) as bar:
        for tier in tiers:
            presented = present(samples, engine, tries, tier, lambda: bar.update(1))
            trials.extend(trials_of(presented, enrolled, tier, threshold))
    rates = attack_rates(trials)
    remarks = [
        "Recordings replayed as a camera: a light or a turn that the tier asks for cannot be answered by "
        "them and counts as not judged. Not a test to ISO/IEC 30107-3."
    ]
    if all(one.riapar is None for one in rates):
        remarks.append("RIAPAR needs to know who would be recognised: add references/SUBJECT.jpg.")
    return replace(_report(f"Liveness: pack {engine.spec.name}"), liveness=rates, remarks=tuple(remarks))


def _calibration(engine: RecognitionEngine, settings: Settings) -> Calibration:
    calibration = find_calibration(engine.spec, settings.data / "calibrations")
    if calibration is None:
        raise InputUnusable(f"pack {engine.spec.name} has no threshold yet; run: facepay calibrate")
    calibration.require_for(engine.model, engine.detector_sha256)
    return calibration


def _from_scores(path: Path) -> Report:
    comparisons = comparisons_of(read_scores(path))
    unknown = Rate(0, 0, float("nan"), float("nan"))
    result = RecognitionResult(
        Source(path.name, "", "", comparisons.identities, 0),
        unknown,
        unknown,
        len(comparisons.genuine),
        comparisons.impostors,
        operating_points(comparisons),
        (),
        tuple((float(t), float(fmr), float(fnmr)) for t, fmr, fnmr in det_curve(comparisons)),
        histogram_of(comparisons),
    )
    return replace(_report(f"Scores of {path.name}"), recognition=result)


def _print(report: Report) -> None:
    print(report.title)
    for rates in report.liveness:
        print(f"  {rates.evidence.value}, tier {rates.level}, {rates.cue}")
        for species, rate in rates.apcer.items():
            print(f"    APCER {species}: {rate}; not judged {rates.attack_non_response[species]}")
        print(f"    BPCER: {rates.bpcer}; not judged {rates.bona_fide_non_response}")
        if rates.riapar is not None:
            low, high = percent(rates.riapar.low), percent(rates.riapar.high)
            print(f"    RIAPAR: {percent(rates.riapar.value)} ({low} to {high}; {rates.riapar.species})")
    if report.recognition is not None:
        _print_recognition(report.recognition, report)
    for remark in report.remarks:
        print(f"  {remark}")


def _print_recognition(result: RecognitionResult, report: Report) -> None:
    counts = f"{result.genuine:,} genuine and {result.impostors:,} impostor comparisons"
    print(f"  {result.source.people} people, {counts}")
    print(f"  failure to enrol {result.failure_to_enrol}, to acquire {result.failure_to_acquire}")
    for point in result.points:
        note = "" if point.supported else "  (more than this data can show)"
        print(f"  FMR {point.target:<6g} threshold {point.threshold:.3f}  FNMR {point.fnmr}{note}")
    for place in result.open_set:
        note = "" if place.supported else "  (more than this data can show)"
        print(f"  {place.gallery:>6} enrolled  FPIR {place.target:<6g} FNIR {place.fnir}{note}")
    if report.fairness:
        for row in report.fairness.groups:
            print(f"  {row.group}: {row.people} people  FNMR {row.fnmr}  FPIR {row.fpir}")
        for name, ratio in (("FNMR", report.fairness.fnmr_ratio), ("FPIR", report.fairness.fpir_ratio)):
            print(f"  worst to best {name}: {f'{ratio:.1f}' if ratio else 'cannot be said'}")
        print(f"  {report.fairness.statement}")
    for suspicion in result.suspicions:
        print(f"  label? {suspicion}")
