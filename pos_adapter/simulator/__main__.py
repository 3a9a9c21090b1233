"""Runs the simulators: `python -m pos_adapter.simulator WIRE [--address|--port] ACTION`.

    python -m pos_adapter.simulator rest --address 127.0.0.1:8477 --key env:TILL_KEY pay 12.40
    python -m pos_adapter.simulator concert --port /dev/ttyUSB0 pay 12.40
    python -m pos_adapter.simulator caisse_ap --address 127.0.0.1:8888 serve

To a terminal that `serve` opened the last two digits of an amount say what happens:

    01 no match            05 declined               09 result unknown, then approved
    02 attack suspected    06 device dead            10 waits for a cancel, else times out
    03 shopper chose card  07 provider unreachable   11 half the amount, where partial is allowed
    04 timeout             08 result unknown, then voided
    anything else: approved

Exit codes: 0 done, 1 no connection or a broken answer, 2 wrong arguments, 3 not done.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path

from pos_adapter.errors import BadRequest, PosError
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.attending import Attending
from pos_adapter.simulator.desks import DESKS, Action, DeskOptions, Order, Told, open_desk
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.simulator.serving import ServeOptions, serve_simulated
from pos_adapter.types import Money

SERVE = "serve"


def add_desk_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments every cash desk takes; `facepay till` uses the same."""
    parser.add_argument("--address", default="", help="host:port or URL of the terminal")
    parser.add_argument("--port", default="", help="serial port, such as /dev/ttyUSB0 or COM3")
    parser.add_argument("--baud", type=int, default=9600, help="speed of the serial port")
    parser.add_argument("--key", default="", help="API key by reference: env:NAME or file:PATH")
    parser.add_argument("--authority", default="", help="PEM file to check an https terminal against")
    parser.add_argument("--till", default="01", help="this till's number")
    parser.add_argument("--currency", default="EUR", help="ISO 4217 code of the amount")
    parser.add_argument("--transaction", default="", help="id or receipt number of an earlier payment")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds to wait for the end")


def desk_options(arguments: argparse.Namespace) -> DeskOptions:
    """The desk the arguments describe; raises BadRequest for a key that is no reference."""
    key = secret_of(arguments.key) if arguments.key else ""
    return DeskOptions(
        arguments.address, arguments.port, arguments.baud, key, arguments.till, arguments.authority
    )


def secret_of(reference: str) -> str:
    """The secret behind `env:NAME` or `file:PATH`; raises BadRequest."""
    kind, _, name = reference.partition(":")
    try:
        if kind == "env":
            return os.environ[name]
        if kind == "file":
            return Path(name).read_text("utf-8").strip()
    except (KeyError, OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"the secret {reference!r} cannot be read") from error
    raise BadRequest("a secret is given by reference: env:NAME or file:PATH")


def order_of(arguments: argparse.Namespace) -> Order:
    """The order the arguments describe; raises BadRequest for an impossible amount."""
    amount = Money.from_major(arguments.amount, arguments.currency) if arguments.amount else None
    return Order(Action(arguments.action), amount, arguments.transaction, arguments.patience)


def attend(wire: str, arguments: argparse.Namespace) -> Told:
    """Do what the arguments ask at a desk of this wire; Ctrl-C aborts a sale. Raises PosError."""

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    return Attending(open_desk(wire, desk_options(arguments)), order_of(arguments), say).outcome()


def print_told(told: Told, *, as_json: bool) -> int:
    """Print an answer and give the exit code."""
    if as_json:
        print(json.dumps({"done": told.done, "text": told.text, "answer": dict(told.document)}))
    else:
        print(told.text)
    return 0 if told.done else 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line."""
    parser = argparse.ArgumentParser(prog="python -m pos_adapter.simulator", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("wire", choices=sorted(DESKS))
    add_desk_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    parser.add_argument("--origin", action="append", default=[], help="page that may call hw_proxy")
    parser.add_argument("--shopper", type=float, default=1.0, help="seconds the simulated shopper takes")
    parser.add_argument("action", choices=[*(action.value for action in Action), SERVE])
    parser.add_argument("amount", nargs="?", default="", help="in major units, such as 12.40")
    arguments = parser.parse_args(argv)
    try:
        if arguments.action == SERVE:
            return _serve(arguments)
        told = attend(arguments.wire, arguments)
        return print_told(told, as_json=arguments.json)
    except BadRequest as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except PosError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _serve(arguments: argparse.Namespace) -> int:
    with warnings.catch_warnings():
        # Whoever typed "serve" here knows that it is a simulator; the line below says it again.
        warnings.simplefilter("ignore", UserWarning)
        host = SimulatedHost(SimulatorOptions(shopper_s=arguments.shopper))
    options = ServeOptions(desk_options(arguments), frozenset(arguments.origin))
    with TransactionSession(host) as session, serve_simulated(arguments.wire, session, options) as address:
        print(f"simulated terminal on {arguments.wire} at {address}; no real payments; stop with Ctrl-C")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print(f"{len(host.payments)} payments were simulated")
    return 0


if __name__ == "__main__":
    sys.exit(main())
