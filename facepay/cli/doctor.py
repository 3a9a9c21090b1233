"""`facepay doctor`: looks the terminal over and says in plain words what is missing and what to type."""

from __future__ import annotations

import argparse
import json

from facepay.cli.exits import Exit
from facepay.settings import Settings
from facepay.terminal.doctor import Finding, State, examine

MARKS = {State.FINE: "ok   ", State.NOTE: "note ", State.MEND: "MEND "}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("--quiet", action="store_true", help="only what has to be mended")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Run every check; the exit code is 4 when something has to be mended."""
    findings = examine(settings)
    wrong = [finding for finding in findings if finding.state is State.MEND]
    shown = wrong if arguments.quiet else findings
    if arguments.json:
        print(json.dumps([_row(finding) for finding in shown], indent=1))
    else:
        for finding in shown:
            print(f"{MARKS[finding.state]} {finding.about:<10} {finding.says}")
        if not wrong:
            print("Nothing has to be mended.")
    return Exit.CHECK_FAILED if wrong else Exit.DONE


def _row(finding: Finding) -> dict[str, str]:
    return {"about": finding.about, "state": finding.state.value, "says": finding.says}
