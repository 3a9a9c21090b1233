"""`facepay refund`: gives some or all of a payment back at the terminal, without a till and without a face.

Whoever works at this machine acts as a cashier. With `--approval` the deed is that of the persons who signed
it (`facepay keys approve refund "PAYMENT AMOUNT CURRENCY" --by FILE`): one acts, another one agrees.
"""

from __future__ import annotations

import argparse
import getpass
import json
import secrets
import time
from pathlib import Path

from facepay.cli.exits import Exit
from facepay.errors import InputUnusable
from facepay.journal import Entry, State
from facepay.settings import Settings
from facepay.settlement import Actor, RefundOf, Role
from facepay.terminal.keeping import Keeping, open_keeping
from facepay.terminal.money import build_money
from pos_adapter.types import Money, TransactionId

APPROVAL_LIMIT = 4_096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("payment", help="the terminal's id of the payment")
    parser.add_argument("amount", nargs="?", default="", help="such as 4.20 (default: all that is left)")
    parser.add_argument("--reason", default="", help="kept in the journal")
    parser.add_argument("--key", default="", help="refunded once per key (default: a new one each time)")
    parser.add_argument("--approval", type=Path, action="append", default=[], metavar="FILE")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Refund, and say where the money is."""
    amount = _amount(arguments, settings.terminal.currency)
    worker = f"cli:{getpass.getuser()}"
    with open_keeping(settings, actor=worker) as keeping:
        money = build_money(settings, keeping.database, keeping.keys, lambda: time.time_ns() // 1_000_000)
        actor, second = _people(arguments, keeping, amount, worker)
        done = money.refunds.refund(
            RefundOf(
                f"desk/{arguments.key or secrets.token_hex(12)}",
                TransactionId(arguments.payment),
                amount,
                actor,
                second,
                arguments.reason,
            )
        )
    _print(arguments, done)
    return Exit.DONE if done.state in {State.REFUNDED, State.REFUNDING} else Exit.CHECK_FAILED


def _amount(arguments: argparse.Namespace, currency: str) -> Money | None:
    if arguments.amount:
        return Money.from_major(arguments.amount, currency).require_payable()
    if arguments.approval:
        raise InputUnusable("name the amount: an approval is for one amount")
    return None


def _people(
    arguments: argparse.Namespace, keeping: Keeping, amount: Money | None, worker: str
) -> tuple[Actor, Actor | None]:
    if not arguments.approval:
        return Actor(worker, Role.CASHIER), None
    target = f"{arguments.payment} {amount}"
    people = keeping.custody.people_for_refund(target, [_read(path) for path in arguments.approval])
    actors = [Actor(person, Role.MANAGER) for person in people]
    return actors[0], actors[1] if len(actors) > 1 else None


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(APPROVAL_LIMIT).decode("ascii", "replace").strip()
    except OSError as error:
        raise InputUnusable(f"{path} cannot be read: {error.strerror}") from error


def _print(arguments: argparse.Namespace, done: Entry) -> None:
    if arguments.json:
        row = {"refund": done.payment, "state": done.state.value, "amount_minor": done.amount.minor}
        print(json.dumps({**row, "currency": done.amount.currency, "payment": done.original}))
        return
    said = {
        State.REFUNDED: "is back with the payer",
        State.REFUNDING: "is on its way: the provider does not answer yet, and is asked again",
    }
    print(
        f"{done.amount} {said.get(done.state, 'was not given back: the provider declines')} ({done.payment})"
    )
