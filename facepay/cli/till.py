"""`facepay till`: speaks the till's side of a wire, for people who plug facepay into one."""

from __future__ import annotations

import argparse
import sys

from facepay.cli.exits import Exit
from facepay.settings import Settings
from pos_adapter.errors import BadRequest, PosError
from pos_adapter.simulator.__main__ import add_desk_arguments, attend, print_told
from pos_adapter.simulator.desks import DESKS, Action


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("--wire", required=True, choices=sorted(DESKS), help="language of the terminal")
    add_desk_arguments(parser)
    parser.add_argument("action", choices=[action.value for action in Action])
    parser.add_argument("amount", nargs="?", default="", help="in major units, such as 12.40")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Do one thing at the terminal; DECLINED when it was answered and not done."""
    try:
        told = attend(arguments.wire, arguments)
    except BadRequest as error:
        print(f"error: {error}", file=sys.stderr)
        return Exit.USAGE
    except KeyboardInterrupt:
        print("error: given up; look at the terminal for how it ended", file=sys.stderr)
        return Exit.FAULT
    except PosError as error:
        print(f"error: {error}", file=sys.stderr)
        return Exit.FAULT
    return Exit.DONE if print_told(told, as_json=arguments.json) == 0 else Exit.DECLINED
