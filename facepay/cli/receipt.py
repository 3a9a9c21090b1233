"""`facepay receipt`: check a receipt offline, print one, hand out the public keys."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from facepay.cli.exits import Exit
from facepay.db.session import open_database
from facepay.errors import InputUnusable
from facepay.journal import Journal, UnknownPayment
from facepay.receipts import Authorised, StatementExpired, require_fresh, verify_authorised
from facepay.receipts.qr import qr_svg, read_image, read_text
from facepay.receipts.trust import read_key_set, trusted_by, write_key_set
from facepay.settings import Settings
from facepay.terminal.places import database_url, open_keys
from keys import KeyId, KeysError
from keys.errors import StatementRefused
from pos_adapter.types import TransactionId


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    actions = parser.add_subparsers(dest="action", required=True)
    verify = actions.add_parser("verify", help="check a receipt's statement, without network or terminal")
    verify.add_argument("statement", nargs="?", default="", help="the statement, a file, or - for stdin")
    verify.add_argument("--image", type=Path, metavar="FILE", help="picture of the receipt's QR code")
    verify.add_argument("--keys", type=Path, metavar="FILE", help="JWK set (default: this terminal's keys)")
    verify.add_argument("--fresh", action="store_true", help="also refuse a statement whose time is over")
    show = actions.add_parser("show", help="print the statement of a payment")
    show.add_argument("payment", help="the terminal's id of the payment")
    show.add_argument("--svg", type=Path, metavar="FILE", help="write the QR code here")
    actions.add_parser("keys", help="print the public keys as a JWK set")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Do what `arguments.action` says."""
    try:
        if arguments.action == "verify":
            return _verify(arguments, settings)
        if arguments.action == "show":
            return _show(arguments, settings)
        with open_keys(settings) as store:
            print(write_key_set(trusted_by(store)), end="")
        return Exit.DONE
    except StatementRefused as error:
        return _refused(arguments, error)
    except KeysError as error:
        raise InputUnusable(str(error)) from error


def _verify(arguments: argparse.Namespace, settings: Settings) -> Exit:
    token = read_image(arguments.image) if arguments.image else read_text(_given(arguments.statement))
    said = verify_authorised(token, _trusted(arguments.keys, settings))
    now_s = int(time.time())
    if arguments.fresh:
        require_fresh(said, now_s)
    _print(arguments, said, now_s)
    return Exit.DONE


def _given(text: str) -> str:
    if text == "-":
        return sys.stdin.read(65_536)
    # A statement holds dots and no slash; anything that is a file is read as one.
    path = Path(text)
    if text and len(text) < 256 and path.is_file():
        try:
            return path.read_text("utf-8")[:65_536]
        except UnicodeDecodeError as error:
            raise InputUnusable(f"{path} is no text; a picture of the code goes with --image") from error
    if not text:
        raise InputUnusable("give the statement, a file that holds it, - for stdin, or --image FILE")
    return text


def _trusted(path: Path | None, settings: Settings) -> dict[KeyId, bytes]:
    if path is None:
        with open_keys(settings) as store:
            return trusted_by(store)
    try:
        return read_key_set(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputUnusable(f"the key set {path} cannot be read: {error}") from error


def _show(arguments: argparse.Namespace, settings: Settings) -> Exit:
    database = open_database(database_url(settings))
    try:
        journal = Journal(database.engine, chain=settings.terminal.terminal, now_ms=lambda: 0)
        entry = journal.find(TransactionId(arguments.payment))
    finally:
        database.close()
    if entry is None:
        raise UnknownPayment(f"the journal has no payment {arguments.payment}")
    token = entry.facts.get("statement")
    if not isinstance(token, str):
        raise InputUnusable(f"payment {entry.payment} is {entry.state.value}: it has no signed statement")
    if arguments.svg:
        arguments.svg.write_text(qr_svg(token), "utf-8")
    print(json.dumps({"payment": entry.payment, "statement": token}) if arguments.json else token)
    return Exit.DONE


def _print(arguments: argparse.Namespace, said: Authorised, now_s: int) -> None:
    over = now_s >= said.exp
    if arguments.json:
        print(json.dumps({"genuine": True, "expired": over, **asdict(said)}))
        return
    signed_at = datetime.fromtimestamp(said.iat, UTC).isoformat()
    print(f"genuine: {said.money} to {said.payee}, terminal {said.terminal}, payment {said.payment}")
    print(f"signed {signed_at}; payer {said.payer}, factor {said.factor}, liveness level {said.liveness}")
    if over:
        print("its time to be acted on is over, as it should be for a receipt")


def _refused(arguments: argparse.Namespace, error: StatementRefused) -> Exit:
    word = "expired" if isinstance(error, StatementExpired) else "not genuine"
    if arguments.json:
        print(json.dumps({"genuine": isinstance(error, StatementExpired), "reason": str(error)}))
    print(f"facepay: {word}: {error}", file=sys.stderr)
    return Exit.CHECK_FAILED
