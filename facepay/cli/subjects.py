"""`facepay subjects`: who is enrolled here, by pseudonym; no name, no face and no feature is shown."""

from __future__ import annotations

import argparse
import getpass
import json
from datetime import UTC, datetime

from facepay.cli.exits import Exit
from facepay.gallery import EnrolledSubject
from facepay.settings import Settings
from facepay.terminal.keeping import open_keeping


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("account", nargs="?", default="", help="only this account or pseudonym")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """List all payers, or one."""
    with open_keeping(settings, actor=f"cli:{getpass.getuser()}") as keeping:
        everybody = keeping.gallery.subjects()
    wanted = arguments.account
    shown = [one for one in everybody if not wanted or wanted in (one.account, one.subject)]
    if arguments.json:
        print(json.dumps([_row(one) for one in shown], indent=1))
    else:
        _print(shown)
    return Exit.USAGE if wanted and not shown else Exit.DONE


def _row(one: EnrolledSubject) -> dict[str, object]:
    return {
        "subject": one.subject,
        "account": one.account,
        "enrolled_at": _time(one),
        "origin": one.origin,
        "liveness_level": one.liveness_level,
        "look_alike": one.look_alike,
        "template": one.mode.value,
    }


def _time(one: EnrolledSubject) -> str:
    return datetime.fromtimestamp(one.enrolled_at_ms / 1000, UTC).isoformat(timespec="seconds")


def _print(shown: list[EnrolledSubject]) -> None:
    print(f"{len(shown)} payer{'' if len(shown) == 1 else 's'}")
    for one in shown:
        twin = "  looks like somebody else here: always asked for the PIN" if one.look_alike else ""
        how = f"{one.mode.value}, {one.origin}, level {one.liveness_level}{twin}"
        print(f"{one.subject}  account {one.account}  {_time(one)}  {how}")
