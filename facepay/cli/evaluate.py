"""`facepay evaluate`: error rates of a pack on photos, of liveness on samples, or from a score file."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from facepay.cli.exits import Exit
from facepay.cli.measuring import (
    add_photo_arguments,
    embedded_photos,
    named_engine,
    read_photos,
    require_writable,
    what_was_left_out,
    what_was_not_presented,
)
from facepay.cli.report_text import print_report
from facepay.errors import FacepayError, InputUnusable, SettingsError
from facepay.evaluation.attacks import Trial, attack_rates, not_compared
from facepay.evaluation.datasets import printable
from facepay.evaluation.deployed import at_deployed_thresholds
from facepay.evaluation.embedding import EmbeddedSet
from facepay.evaluation.fairness import fairness_table, load_groups, require_grouped, who_stands_outside
from facepay.evaluation.figures import require_plotting
from facepay.evaluation.latency import measure_latency
from facepay.evaluation.presenting import embed_references, present, trials_of
from facepay.evaluation.recognition import measure, of_scores
from facepay.evaluation.report import to_json, write_report
from facepay.evaluation.results import Report, this_machine
from facepay.evaluation.samples import load_references, load_samples, readable_samples
from facepay.evaluation.scorefiles import comparisons_of, read_scores, rows_of, write_scores
from facepay.evaluation.terminal_searches import SearchRules, search_as_the_terminal
from facepay.evaluation.textfiles import written_text
from facepay.recognition.calibration import Calibration
from facepay.recognition.calibration_files import find_calibration
from facepay.recognition.engine import RecognitionEngine
from facepay.settings import Settings
from facepay.terminal.engines import build_tries
from keys import MemoryKeyStore
from liveness.types import Tier

TITLES = {"recognition": "Recognition", "fairness": "Recognition by group", "liveness": "Liveness"}
BELONGS_TO = {
    "photos": ("recognition", "fairness"),
    "write_scores": ("recognition", "fairness"),
    "groups": ("fairness",),
    "samples": ("liveness",),
    "tier": ("liveness",),
    "fpir": ("fairness", "liveness"),
}
"""Which options mean something to which measurement; the others would be silently ignored."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("what", nargs="?", choices=[*TITLES], help="what to measure")
    parser.add_argument("--scores", type=Path, metavar="FILE", help="report on a score file instead")
    add_photo_arguments(parser, required=False)
    parser.add_argument("--samples", type=Path, metavar="DIR", help="bona_fide/ and attacks/SPECIES/")
    tiers = [int(tier) for tier in Tier]
    parser.add_argument("--tier", type=int, nargs="+", choices=tiers, help="liveness tiers to ask for (0)")
    parser.add_argument("--groups", type=Path, metavar="CSV", help="identity,group for `fairness`")
    parser.add_argument("--fpir", type=float, help="target FPIR of the threshold (that of the settings)")
    parser.add_argument("--write-scores", type=Path, metavar="FILE", help="write every comparison's score")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write report.html and report.json here")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Measure, then write the report and say the main figures."""
    _require_fitting(arguments)
    # Before minutes of measuring, not after.
    if arguments.out:
        require_plotting()
        require_writable(arguments.out)
    if arguments.scores:
        report = replace(
            _report(f"Scores of {printable(arguments.scores.name)}"),
            recognition=of_scores(comparisons_of(read_scores(arguments.scores)), arguments.scores.name),
        )
        _tell(report, arguments)
    elif arguments.what == "liveness":
        _tell(_from_samples(arguments, settings), arguments)
    else:
        _from_photos(arguments, settings)
    return Exit.DONE


def _require_fitting(arguments: argparse.Namespace) -> None:
    if (arguments.what is None) == (arguments.scores is None):
        raise SettingsError(
            "say what to measure: recognition or fairness with --photos, liveness with --samples, "
            "or --scores FILE"
        )
    for option, owners in BELONGS_TO.items():
        if getattr(arguments, option) is not None and arguments.what not in owners:
            name = option.replace("_", "-")
            raise SettingsError(f"--{name} belongs to: facepay evaluate {' or '.join(owners)}")


def _report(title: str) -> Report:
    return Report(title, datetime.now(UTC), this_machine())


def _tell(report: Report, arguments: argparse.Namespace) -> None:
    if arguments.out:
        page, _ = write_report(report, arguments.out)
        print(f"report: {page}", file=sys.stderr)
    if arguments.json:
        print(to_json(report), end="")
    else:
        print_report(report)


def _from_photos(arguments: argparse.Namespace, settings: Settings) -> None:
    if arguments.photos is None:
        raise SettingsError("name the photos with --photos: a folder that holds one folder for each person")
    if arguments.what == "fairness" and arguments.groups is None:
        raise SettingsError("fairness needs --groups CSV with the columns identity and group")
    if arguments.write_scores:
        if arguments.write_scores.is_dir():
            raise SettingsError(f"{arguments.write_scores} is a folder; name a file in it")
        require_writable(arguments.write_scores.parent)
    engine, _ = named_engine(arguments, settings)
    fairness = _Fairness.of(arguments, settings, engine) if arguments.groups else None
    with embedded_photos(arguments, engine, settings) as embedded:
        report = _measured(arguments, settings, engine, embedded)
        if fairness is not None:
            report = fairness.added_to(report, embedded)
        if arguments.write_scores:
            with written_text(arguments.write_scores) as stream:
                write_scores(rows_of(embedded.photos, embedded.features), stream)
        _tell(report, arguments)


def _measured(
    arguments: argparse.Namespace, settings: Settings, engine: RecognitionEngine, embedded: EmbeddedSet
) -> Report:
    result, comparisons = measure(embedded, pack=engine.spec.name, model=engine.model)
    remarks = what_was_left_out(arguments.photos, embedded)
    try:
        calibration = _calibration(engine, settings)
    except FacepayError as error:
        # Rates can be measured without one; what the terminal would do cannot be said.
        remarks.append(f"What the terminal would decide is not in this report: {error}.")
    else:
        terms = settings.recognition
        rules = SearchRules(settings.enrolment.samples, terms.target_fpir, terms.margin)
        result = replace(
            result,
            deployed=at_deployed_thresholds(comparisons, calibration, terms.target_fpir),
            searches=search_as_the_terminal(embedded.features, embedded.identity, calibration, rules),
        )
    return replace(
        _report(f"{TITLES[arguments.what]}: pack {engine.spec.name}"),
        recognition=result,
        latency_ms=measure_latency(embedded.photos, engine),
        remarks=tuple(remarks),
    )


@dataclass(frozen=True, slots=True)
class _Fairness:
    """What rates by group need, found to be there before minutes of measuring."""

    groups: dict[str, str]
    calibration: Calibration
    target: float

    @classmethod
    def of(cls, arguments: argparse.Namespace, settings: Settings, engine: RecognitionEngine) -> _Fairness:
        groups = load_groups(arguments.groups)
        require_grouped(groups, {photo.identity for photo in read_photos(arguments.photos)})
        made = cls(groups, _calibration(engine, settings), _target(arguments, settings))
        made.calibration.threshold_for(1, made.target)
        return made

    def added_to(self, report: Report, embedded: EmbeddedSet) -> Report:
        threshold = self.calibration.threshold_for(len(embedded.names), self.target)
        table = fairness_table(
            embedded.features,
            embedded.identity,
            embedded.names,
            self.groups,
            threshold=threshold.score,
            target_fpir=self.target,
        )
        remarks = [*report.remarks, *who_stands_outside(embedded.names, self.groups)]
        if threshold.extrapolated:
            remarks.append("The deployed threshold lies beyond the calibration data and is extrapolated.")
        return replace(report, fairness=table, remarks=tuple(remarks))


def _from_samples(arguments: argparse.Namespace, settings: Settings) -> Report:
    if arguments.samples is None:
        raise SettingsError("name the samples with --samples: a folder with bona_fide/ and attacks/SPECIES/")
    samples, damaged = readable_samples(load_samples(arguments.samples))
    tiers = [Tier(number) for number in sorted({*(arguments.tier or [0])})]
    engine, _ = named_engine(arguments, settings)
    threshold = _calibration(engine, settings).threshold_for(1, _target(arguments, settings)).score
    enrolled = embed_references(load_references(arguments.samples), engine)
    trials: list[Trial] = []
    silent = True if arguments.json else None
    with (
        TemporaryDirectory() as scratch,
        tqdm(total=len(tiers) * len(samples), unit="sample", disable=silent) as bar,
    ):
        # The memory of frames that the terminal has seen stays the terminal's own.
        tries = build_tries(replace(settings, data=Path(scratch)), engine, MemoryKeyStore())
        for tier in tiers:
            presented = present(samples, engine, tries, tier, lambda: bar.update(1))
            trials.extend(trials_of(presented, enrolled, tier, threshold))
    rates = attack_rates(trials)
    remarks = [
        "Recordings replayed as a camera: a light or a turn that the tier asks for cannot be answered by "
        "them and counts as not judged. Not a test to ISO/IEC 30107-3.",
        *what_was_not_presented(arguments.samples, damaged),
    ]
    alone = not_compared(trials)
    if alone:
        remarks.append(
            "RIAPAR is missing where something was accepted that nothing is there to compare with: add "
            f"references/SUBJECT.jpg for {', '.join(alone)}."
        )
    elif any(one.riapar is None for one in rates):
        remarks.append(
            "A cue without RIAPAR let something pass that was refused before there was a face to compare."
        )
    return replace(_report(f"Liveness: pack {engine.spec.name}"), liveness=rates, remarks=tuple(remarks))


def _target(arguments: argparse.Namespace, settings: Settings) -> float:
    given: float | None = arguments.fpir
    return settings.recognition.target_fpir if given is None else given


def _calibration(engine: RecognitionEngine, settings: Settings) -> Calibration:
    calibration = find_calibration(engine.spec, settings.data / "calibrations")
    if calibration is None:
        raise InputUnusable(f"pack {engine.spec.name} has no threshold yet; run: facepay calibrate")
    calibration.require_for(engine.model, engine.detector_sha256)
    return calibration
