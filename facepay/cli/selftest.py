"""`facepay selftest`: known answers through every stage; the exit code is 4 when one is wrong."""

from __future__ import annotations

import argparse
import dataclasses
import json

from facepay.cli.exits import Exit
from facepay.settings import Settings
from facepay.terminal.selftest import run_selftest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments of its own."""


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Run the stages one after the other and print each as it ends."""
    known = []
    for answer in run_selftest(settings):
        known.append(answer)
        if not arguments.json:
            mark = "ok   " if answer.right else "WRONG"
            print(f"{mark} {answer.stage:<20} {answer.milliseconds:8.1f} ms  {answer.says}", flush=True)
    if arguments.json:
        print(json.dumps([dataclasses.asdict(answer) for answer in known], indent=1))
    return Exit.DONE if all(answer.right for answer in known) else Exit.CHECK_FAILED
