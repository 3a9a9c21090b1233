"""`facepay audit`: verify the log, print its signed head, or tell a payer who looked for them."""

from __future__ import annotations

import argparse
import getpass
import json
import time

from facepay.cli.exits import Exit
from facepay.errors import AuditBroken
from facepay.settings import Settings
from facepay.terminal.keeping import Keeping, open_keeping
from facepay.types import SubjectId


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("verify", help="check every entry against every signed head")
    actions.add_parser("checkpoint", help="print the signed head (a C2SP note) for a witness to keep")
    extract = actions.add_parser("extract", help="who looked for a payer, for that payer")
    extract.add_argument("subject", help="pseudonym of the payer")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Do what `arguments.action` says."""
    with open_keeping(settings, actor=f"cli:{getpass.getuser()}") as keeping:
        if arguments.action == "checkpoint":
            print(keeping.audit.checkpoint(), end="")
            return Exit.DONE
        return _extract(arguments, keeping) if arguments.action == "extract" else _verify(arguments, keeping)


def _verify(arguments: argparse.Namespace, keeping: Keeping) -> Exit:
    try:
        count = keeping.audit.verify()
    except AuditBroken as error:
        print(json.dumps({"holds": False, "reason": str(error)}) if arguments.json else f"broken: {error}")
        return Exit.CHECK_FAILED
    print(json.dumps({"holds": True, "entries": count}) if arguments.json else f"holds: {count} entries")
    return Exit.DONE


def _extract(arguments: argparse.Namespace, keeping: Keeping) -> Exit:
    entries = keeping.audit.extract(SubjectId(arguments.subject))
    if arguments.json:
        rows = [{"at_ms": e.at_ms, "event": e.event, "by": e.actor, **e.detail} for e in entries]
        print(json.dumps(rows, indent=1))
        return Exit.DONE
    for entry in entries:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(entry.at_ms / 1000))
        print(f"{at} UTC  {entry.event:<11} by {entry.actor}  {json.dumps(dict(entry.detail))}")
    if not entries:
        print("nothing is recorded for this payer, or their key was destroyed")
    return Exit.DONE
