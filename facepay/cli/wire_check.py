"""`facepay wire-check`: runs the conformance cases of a wire against any terminal and prints a report."""

from __future__ import annotations

import argparse
import json
import sys

from facepay.cli.exits import Exit
from facepay.settings import Settings
from pos_adapter.errors import PosError
from pos_adapter.simulator.__main__ import add_desk_arguments, desk_options
from pos_adapter.simulator.conformance import Finding, Subject, check
from pos_adapter.simulator.desks import DESKS
from pos_adapter.types import Money


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("--wire", required=True, choices=sorted(DESKS), help="language of the terminal")
    add_desk_arguments(parser)
    parser.add_argument("--pays", default="", metavar="AMOUNT", help="amount the terminal approves")
    parser.add_argument("--refuses", default="", metavar="AMOUNT", help="amount the terminal refuses")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Check one terminal; CHECK_FAILED when a case failed."""
    findings: list[Finding] = []

    def told(finding: Finding) -> None:
        findings.append(finding)
        if not arguments.json:
            seconds = f"{finding.seconds:6.1f} s"
            print(f"{finding.verdict.value:8}{seconds}  {finding.case}: {finding.detail}", flush=True)

    try:
        good = check(_subject(arguments), told)
    except PosError as error:
        print(f"error: {error}", file=sys.stderr)
        return Exit.USAGE
    if arguments.json:
        rows = [
            {"case": f.case, "verdict": f.verdict.value, "detail": f.detail, "seconds": round(f.seconds, 3)}
            for f in findings
        ]
        print(json.dumps({"wire": arguments.wire, "passed": good, "cases": rows}))
    return Exit.DONE if good else Exit.CHECK_FAILED


def _subject(arguments: argparse.Namespace) -> Subject:
    def money(text: str) -> Money | None:
        return Money.from_major(text, arguments.currency) if text else None

    return Subject(
        arguments.wire,
        desk_options(arguments),
        pays=money(arguments.pays),
        refuses=money(arguments.refuses),
        patience_s=arguments.patience,
    )
