"""The main figures of a report, as lines of text for whoever typed the command."""

from __future__ import annotations

from facepay.evaluation.intervals import percent
from facepay.evaluation.results import RecognitionResult, Report


def print_report(report: Report) -> None:
    """Print the main figures, line by line."""
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
    for deployed in result.deployed:
        note = "  (extrapolated)" if deployed.extrapolated else ""
        note = (
            "  (more false matches than the calibration allows: calibrate anew)"
            if deployed.exceeded
            else note
        )
        print(
            f"  this pack's threshold for {deployed.references} references {deployed.threshold:.3f}  "
            f"FMR {deployed.fmr}  FNMR {deployed.fnmr}{note}"
        )
    for search in result.searches:
        note = "  (extrapolated)" if search.extrapolated else ""
        made = f"{search.references} references, threshold {search.threshold:.3f}{note}"
        print(f"  {search.people:>6} enrolled as the terminal does it, {made}")
        print(f"           not found {search.not_found}, taken for another {search.taken_for_another}")
        print(f"           strangers taken for somebody {search.strangers}")
    for place in result.open_set:
        note = "" if place.supported else "  (more than this data can show)"
        print(
            f"  {place.gallery:>6} enrolled  target FPIR {place.target:<6g} FPIR {place.fpir}  "
            f"FNIR {place.fnir}{note}"
        )
    if report.fairness:
        for row in report.fairness.groups:
            print(f"  {row.group}: {row.people} people  FNMR {row.fnmr}  FPIR {row.fpir}")
        for name, ratio in (("FNMR", report.fairness.fnmr_ratio), ("FPIR", report.fairness.fpir_ratio)):
            print(f"  worst to best {name}: {f'{ratio:.1f}' if ratio else 'cannot be said'}")
        print(f"  {report.fairness.statement}")
    for suspicion in result.suspicions:
        print(f"  label? {suspicion}")
