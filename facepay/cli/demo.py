"""`facepay demo`: the main job on embedded defaults, in a browser or, with --headless, as a transcript."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from facepay.cli.exits import Exit
from facepay.demo.play import play
from facepay.errors import SettingsError
from facepay.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("--headless", action="store_true", help="play without a browser, print a transcript")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="photos of other people (file or folder)")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Play."""
    if settings.production:
        raise SettingsError("the demonstration replays photos: profile production does not run it")
    if arguments.log == "warning":
        # The play provokes faults on purpose; their alerts would tear the transcript apart.
        for package in ("facepay", "pos_adapter"):
            logging.getLogger(package).setLevel(logging.CRITICAL + 1)
    wrong = play(settings, arguments.photos, sys.stdout, as_json=arguments.json)
    return Exit.CHECK_FAILED if wrong else Exit.DONE
