"""Reads argv and settings, runs one command, and turns errors into one plain line and an exit code."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from facepay.cli.commands import COMMANDS
from facepay.cli.exits import Exit
from facepay.errors import Declined, FacepayError, SettingsError, UnknownName
from facepay.psp.base import PspError
from facepay.settings import Settings, load_settings
from hardware.errors import HardwareError
from hardware.libraries import explain_opencv
from keys.errors import KeysError
from keys.hygiene import harden_process
from liveness.errors import LivenessError
from pos_adapter.errors import BadRequest, PosError

EPILOGUE = """exit codes: 0 done, 1 a fault to be mended, 2 wrong usage, name or settings, 3 declined,
4 a check did not hold, 130 interrupted. Settings: --settings FILE or FACEPAY_SETTINGS, and FACEPAY_*."""


class CommandModule(Protocol):
    """What each module of the table offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments of this command."""

    def run(self, arguments: argparse.Namespace, settings: Settings) -> Exit:
        """Do the work."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `facepay` with the words of `argv`; returns the exit code."""
    try:
        return _main(argv)
    except ImportError as error:
        if error.name not in {None, "cv2"}:
            raise
        print(f"facepay: {explain_opencv(error)}", file=sys.stderr)
        return int(Exit.FAULT)


def _main(argv: Sequence[str] | None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    parser = _parser(words)
    arguments = parser.parse_args(words)
    logging.basicConfig(level=arguments.log.upper(), format="%(levelname)s %(name)s: %(message)s")
    for failed in harden_process():
        logging.getLogger(__name__).info("memory is not fully protected: %s", failed)
    run = _module(arguments.command).run
    return int(_guarded(arguments, lambda: run(arguments, _settings(arguments))))


def _module(command: str) -> CommandModule:
    # importlib cannot know the module's type; the table promises it and tests check each entry.
    module: CommandModule = importlib.import_module(COMMANDS[command].module)
    return module


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="facepay",
        description="An open face-pay terminal that plugs into the till a shop already has.",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"facepay {version('facepay')}")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder for database and keys")
    parser.add_argument("--models", type=Path, metavar="DIR", help="folder of model packs or weights")
    parser.add_argument("--log", default="warning", choices=["debug", "info", "warning", "error"])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        child = commands.add_parser(name, help=command.summary, description=command.summary)
        if name in words:
            _module(name).add_arguments(child)
        child.add_argument("--json", action="store_true", help="print JSON for a program to read")
    return parser


def _settings(arguments: argparse.Namespace) -> Settings:
    settings = load_settings(arguments.settings)
    if arguments.data:
        settings = replace(settings, data=arguments.data)
    if arguments.models:
        folders = (arguments.models, *settings.recognition.models)
        settings = replace(settings, recognition=replace(settings.recognition, models=folders))
    return settings


def _guarded(arguments: argparse.Namespace, run: Callable[[], Exit]) -> Exit:
    try:
        return run()
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except EOFError:
        _tell(arguments, SettingsError("there is no keyboard to ask at; --help says what answers instead"))
        return Exit.USAGE
    except BrokenPipeError:
        # The reader of our output went away; point stdout elsewhere so that exit does not raise again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except (FacepayError, HardwareError, KeysError, LivenessError, PosError, PspError) as error:
        _tell(arguments, error)
        if isinstance(error, SettingsError | UnknownName | BadRequest):
            return Exit.USAGE
        return Exit.DECLINED if isinstance(error, Declined) else Exit.FAULT
    except OSError as error:
        # A full disk, a folder that may not be written: the machine's to mend, and no reason to show code.
        _tell(arguments, error)
        return Exit.FAULT


def _tell(arguments: argparse.Namespace, error: Exception) -> None:
    logging.getLogger(__name__).debug("the command failed", exc_info=error)
    if arguments.json:
        print(json.dumps({"error": type(error).__name__, "detail": str(error)}))
    print(f"facepay: {error}", file=sys.stderr)
