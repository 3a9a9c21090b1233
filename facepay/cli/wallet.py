"""`facepay wallet`: the desk of the built-in ledger: money in, money out, balance, statement, proof."""

from __future__ import annotations

import argparse
import dataclasses
import getpass
import json
import secrets
import time
from datetime import UTC, datetime

from facepay.cli.exits import Exit
from facepay.psp.base import IdempotencyKey, PayerToken
from facepay.psp.ledger import Wallet
from facepay.settings import Settings
from facepay.terminal.keeping import open_keeping
from pos_adapter.types import Money


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    actions = parser.add_subparsers(dest="action", required=True)
    for name, text in (("top-up", "add money that came in"), ("pay-out", "hand money back")):
        action = actions.add_parser(name, help=text)
        action.add_argument("account")
        action.add_argument("amount", help="in major units, such as 20.00")
        action.add_argument("--key", default="", help="booked once per key (default: a new one each time)")
        action.add_argument("--text", default=text, help="text on the statement")
    for name, text in (("balance", "what can be spent"), ("statement", "every line of an account")):
        actions.add_parser(name, help=text).add_argument("account")
    actions.add_parser("verify", help="prove that every booking and balance adds up")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Do what `arguments.action` says."""
    with open_keeping(settings, actor=f"cli:{getpass.getuser()}") as keeping:
        wallet = Wallet(keeping.database.engine, now_ms=lambda: time.time_ns() // 1_000_000)
        if arguments.action == "verify":
            wallet.require_books_balance()
            return _say(arguments, {"balanced": True}, "every booking adds up, every balance is their sum")
        payer = PayerToken(arguments.account)
        if arguments.action == "statement":
            return _statement(arguments, wallet)
        if arguments.action != "balance":
            _move(arguments, wallet, payer, settings.terminal.currency)
        balance = wallet.balance(payer)
    row = {"account": arguments.account, "balance_minor": balance.minor, "currency": balance.currency}
    return _say(arguments, row, f"account {arguments.account}: {balance}")


def _move(arguments: argparse.Namespace, wallet: Wallet, payer: PayerToken, currency: str) -> None:
    amount = Money.from_major(arguments.amount, currency).require_payable()
    key = IdempotencyKey(arguments.key or f"desk-{secrets.token_hex(12)}")
    wallet.balance(payer)  # An account nobody has is refused before money is booked to it.
    book = wallet.top_up if arguments.action == "top-up" else wallet.pay_out
    book(payer, amount, key, arguments.text)


def _statement(arguments: argparse.Namespace, wallet: Wallet) -> Exit:
    currency = wallet.balance(PayerToken(arguments.account)).currency
    lines = list(wallet.statement(arguments.account))
    if arguments.json:
        print(json.dumps([dataclasses.asdict(line) for line in lines], indent=1))
        return Exit.DONE
    for line in lines:
        at = datetime.fromtimestamp(line.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        moved, left = Money(line.minor, currency), Money(line.balance_minor, currency)
        print(f"{at}  {moved!s:>14}  {left!s:>14}  {line.kind}  {line.text}")
    return Exit.DONE


def _say(arguments: argparse.Namespace, row: dict[str, object], text: str) -> Exit:
    print(json.dumps(row) if arguments.json else text)
    return Exit.DONE
