"""`facepay pay 12.40`: one payment at this machine, with the keyboard in the place of the two pages."""

from __future__ import annotations

import argparse
import getpass
import json
import secrets
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from facepay.checkout.code_reader import find_holder_code
from facepay.cli.at_the_camera import HINTS, terminal_at
from facepay.cli.exits import Exit
from facepay.counter import Counter, Phase, SaleView
from facepay.errors import SettingsError
from facepay.journal import Facts
from facepay.psp.base import Reason
from facepay.settings import SecretReference, Settings
from hardware.images import ImageLimits, load_image
from pos_adapter.types import ExchangeKey, Money, PaymentRequest, PaymentResponse

PHASES = {
    Phase.OFFERED: "the sale is offered",
    Phase.CODE: "show your own code",
    Phase.FACTOR: "one more thing to type",
    Phase.AUTHORISING: "asking the payment provider",
}
WHY = {
    "AmbiguousMatch": "two who are enrolled are too similar to tell apart",
    "AttackSuspected": "presentation attack detection refused",
    "CodeRefused": "the shopper's own code is unknown here, withdrawn, past its time, or does not open",
    "FactorFailed": "the code that was typed is wrong or locked",
    "LimitExceeded": "the amount is above what this face, liveness level or account may pay",
    "LockedOut": "too many tries failed; wait",
    "NoMatch": "nobody who is enrolled for the gallery looks like this",
    "NotTheHolder": "the face is not the one the shopper's own code was made for",
    Reason.INSUFFICIENT_FUNDS.value: "put money on it with: facepay wallet top-up {account} {amount}",
    Reason.NO_ACCOUNT.value: "the payment provider does not know the account {account}",
}
"""What the operator may want to know of a reason in the journal; the till and the shopper never do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("amount", help="amount in major units, such as 12.40")
    parser.add_argument("--photo", type=Path, metavar="FILE", help="a photo or video as camera (demo)")
    parser.add_argument(
        "--holder-code", type=Path, metavar="FILE", help="pay with the shopper's own code (picture or text)"
    )
    parser.add_argument("--yes", action="store_true", help="agree and confirm without asking")
    parser.add_argument("--code", default="", metavar="REF", help="env:NAME or file:PATH of the code")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Take the payment and tell how it ended; an approval is captured, because this command is the till."""
    names = settings.terminal
    amount = Money.from_major(arguments.amount, names.currency).require_payable()
    request = PaymentRequest(ExchangeKey("cli", names.terminal, "cli", secrets.token_hex(8)), amount)
    with terminal_at(settings, arguments.photo) as terminal:
        keyboard = Keyboard(terminal.counter, arguments, _holder_code(arguments.holder_code))
        thread = threading.Thread(target=keyboard.follow, name="keyboard", daemon=True)
        thread.start()
        response = terminal.checkout.pay(request, lambda step: None)
        if response.transaction is not None and response.outcome.is_approval:
            terminal.checkout.acknowledge(response.transaction, learned=True)
        terminal.counter.close()
        thread.join(2)
        entry = terminal.journal.find(response.transaction) if response.transaction else None
    _print(arguments, response, entry.facts if entry else {})
    return Exit.DONE if response.outcome.is_approval else Exit.DECLINED


def _holder_code(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        picture = path.suffix.lower() in {".png", ".jpg", ".jpeg"}
        text = (
            find_holder_code(load_image(path, ImageLimits())) if picture else path.read_text("ascii").strip()
        )
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the code in {path} cannot be read: {error}") from error
    if not text:
        raise SettingsError(f"{path} shows no code of facepay")
    return text


class Keyboard:
    """Shows each view as a line and asks at the three places where a shopper has to act."""

    def __init__(self, counter: Counter, arguments: argparse.Namespace, holder_code: str = "") -> None:
        self._counter = counter
        self._holder_code = holder_code
        self._yes: bool = arguments.yes
        self._code: str = arguments.code
        self._quiet: bool = arguments.json
        self._last = ""

    def follow(self) -> None:
        """Follow the counter until it closes."""
        for view in self._counter.subscribe(0.5):
            if view is not None and view.phase is not Phase.IDLE:
                self._say(view)
                self._act(view)

    def _say(self, view: SaleView) -> None:
        words = HINTS.get(view.hint) or PHASES.get(view.phase, view.phase.value)
        if words != self._last and not self._quiet:
            print(f"  {words}", flush=True)
        self._last = words

    def _act(self, view: SaleView) -> None:
        if view.phase is Phase.OFFERED and self._holder_code:
            question = f"Pay {view.amount} to {view.payee} with the code and your face?"
            self._ask(question, view, lambda sale: self._counter.enter_code(self._holder_code, sale))
        elif view.phase is Phase.OFFERED:
            self._ask(f"Pay {view.amount} to {view.payee} with your face?", view, self._counter.tap)
        elif view.phase is Phase.CONFIRM:
            question = f"Pay {view.amount} to {view.payee} with account {view.account}?"
            self._ask(question, view, self._counter.confirm)
        elif view.phase is Phase.FACTOR:
            self._counter.enter_digits(self._digits(view.factor), view.sale)

    def _ask(self, question: str, view: SaleView, agree: Callable[[str], bool]) -> None:
        answer = "" if self._yes else input(f"{question} [Enter yes, c card, n no] ").strip().lower()
        {"": agree, "y": agree, "c": self._counter.choose_card}.get(answer, self._counter.cancel)(view.sale)

    def _digits(self, factor: str) -> str:
        if self._code:
            return SecretReference(self._code).read().decode("ascii", "replace")
        return getpass.getpass("Code: " if factor == "pin" else "Last four digits: ")


def _print(arguments: argparse.Namespace, response: PaymentResponse, facts: Facts) -> None:
    """The till's answer, and for the operator, who has the journal as well, why it is what it is."""
    reason = "" if response.outcome.is_approval else str(facts.get("reason") or "")
    if arguments.json:
        row = {
            "outcome": response.outcome.value,
            "transaction": response.transaction,
            "authorised_minor": response.authorised.minor if response.authorised else None,
            "account": response.account,
            "message": response.message,
            "reason": reason,
            # What a till gets on its wire: the receipt's statement, and whom its own provider charges.
            "statement": response.statement or None,
            "payer_token": response.payer_token or None,
        }
        print(json.dumps(row))
    else:
        print(f"{response.outcome.value}: {response.message}")
    if reason:
        why = WHY.get(reason, "").format(
            account=facts.get("account", "ACCOUNT"), amount=str(response.requested).partition(" ")[0]
        )
        print(f"facepay: the journal says {reason}{': ' * bool(why)}{why}", file=sys.stderr)
