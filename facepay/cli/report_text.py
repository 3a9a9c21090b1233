"""The main figures of a report, as lines of text for whoever typed the command."""

from __future__ import annotations

from facepay.evaluation.attacks import AttackRates, by_level
from facepay.evaluation.fairness import FairnessTable
from facepay.evaluation.intervals import percent, score_text
from facepay.evaluation.results import RecognitionResult, Report

_UNSUPPORTED = "  (more than this data can show)"
_EXTRAPOLATED = "  (extrapolated)"
_EXCEEDED = "  (more false matches than the calibration allows: calibrate anew)"


def print_report(report: Report) -> None:
    """Print the main figures, line by line."""
    print(report.title)
    _print_liveness(report)
    if report.recognition is not None:
        _print_recognition(report.recognition)
        _print_as_deployed(report.recognition)
    if report.fairness is not None:
        _print_groups(report.fairness)
    if report.recognition is not None:
        for suspicion in report.recognition.suspicions:
            print(f"  label? {suspicion}")
    for remark in report.remarks:
        print(f"  {remark}")


def _print_liveness(report: Report) -> None:
    for level in by_level(report.liveness):
        for rates in (*([level.whole] if level.whole else []), *level.cues):
            cue = "the whole decision" if rates is level.whole else rates.cue
            print(f"  {level.evidence.value} trials, level {level.level}, {cue}")
            _print_attacks(rates)
        if level.mute:
            print(f"  level {level.level}, judged nothing here: {', '.join(level.mute)}")


def _print_attacks(rates: AttackRates) -> None:
    for species, rate in rates.apcer.items():
        worst = "  (the worst species)" if rates.worst and rates.worst[0] == species else ""
        print(f"    APCER {species}: {rate}; not judged {rates.attack_non_response[species]}{worst}")
    print(f"    BPCER: {rates.bpcer}; not judged {rates.bona_fide_non_response}")
    if rates.riapar is not None:
        low, high = percent(rates.riapar.low), percent(rates.riapar.high)
        print(f"    RIAPAR: {percent(rates.riapar.value)} ({low} to {high}; {rates.riapar.species})")


def _print_recognition(result: RecognitionResult) -> None:
    counts = f"{result.genuine:,} genuine and {result.impostors:,} impostor comparisons"
    print(f"  {result.source.people} people, {counts}")
    if result.failure_to_enrol.trials:
        print(f"  failure to enrol {result.failure_to_enrol}, to acquire {result.failure_to_acquire}")
    for point in result.points:
        note = "" if point.supported else _UNSUPPORTED
        print(
            f"  target FMR {point.target:<6g} threshold {score_text(point.threshold)}  FMR {point.fmr}  "
            f"FNMR {point.fnmr}{note}"
        )
    for place in result.open_set:
        note = "" if place.supported else _UNSUPPORTED
        print(
            f"  {place.gallery:>6} enrolled  target FPIR {place.target:<6g} FPIR {place.fpir}  "
            f"FNIR {place.fnir}{note}"
        )


def _print_as_deployed(result: RecognitionResult) -> None:
    for deployed in result.deployed:
        note = _EXCEEDED if deployed.exceeded else _EXTRAPOLATED if deployed.extrapolated else ""
        print(
            f"  this pack's threshold for {_references(deployed.references)} "
            f"{score_text(deployed.threshold)}  FMR {deployed.fmr}  FNMR {deployed.fnmr}{note}"
        )
    for search in result.searches:
        note = _EXTRAPOLATED if search.extrapolated else ""
        made = f"{_references(search.references)}, threshold {score_text(search.threshold)}{note}"
        print(f"  {search.people:>6} enrolled as the terminal does it, {made}")
        print(f"           not found {search.not_found}, taken for another {search.taken_for_another}")
        print(f"           strangers taken for somebody {search.strangers}")


def _print_groups(table: FairnessTable) -> None:
    for row in table.groups:
        print(f"  {row.group}: {row.people} people  FNMR {row.fnmr}  FPIR {row.fpir}")
    for name, ratio in (("FNMR", table.fnmr_ratio), ("FPIR", table.fpir_ratio)):
        print(f"  worst to best {name}: {f'{ratio:.1f}' if ratio else 'cannot be said'}")
    print(f"  {table.statement}")


def _references(count: int) -> str:
    return f"{count:,} reference{'s' * (count != 1)}"
