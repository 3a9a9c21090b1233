"""`facepay pay 12.40`: one payment at this machine, with the keyboard in the place of the two pages."""

from __future__ import annotations

import argparse
import getpass
import json
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

from facepay.checkout.code_reader import CodeReader
from facepay.cli.at_the_camera import HINTS, camera_for
from facepay.cli.exits import Exit
from facepay.counter import Counter, Phase, SaleView
from facepay.errors import SettingsError
from facepay.settings import SecretReference, Settings
from facepay.terminal import open_terminal
from hardware.images import ImageLimits, load_image
from pos_adapter.types import ExchangeKey, Money, PaymentRequest, PaymentResponse


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
    camera = camera_for(settings, arguments.photo)
    with open_terminal(settings, camera) as terminal:
        keyboard = Keyboard(terminal.counter, arguments, _holder_code(arguments.holder_code))
        thread = threading.Thread(target=keyboard.follow, name="keyboard", daemon=True)
        thread.start()
        response = terminal.checkout.pay(request, lambda step: None)
        if response.transaction is not None and response.outcome.is_approval:
            terminal.checkout.acknowledge(response.transaction, learned=True)
        terminal.counter.close()
        thread.join(2)
    _print(arguments, response)
    return Exit.DONE if response.outcome.is_approval else Exit.DECLINED


def _holder_code(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        picture = path.suffix.lower() in {".png", ".jpg", ".jpeg"}
        text = CodeReader()(load_image(path, ImageLimits())) if picture else path.read_text("ascii").strip()
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
        words = HINTS.get(view.hint) or view.phase.value
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


def _print(arguments: argparse.Namespace, response: PaymentResponse) -> None:
    if arguments.json:
        row = {
            "outcome": response.outcome.value,
            "transaction": response.transaction,
            "authorised_minor": response.authorised.minor if response.authorised else None,
            "account": response.account,
            "message": response.message,
        }
        print(json.dumps(row))
        return
    print(f"{response.outcome.value}: {response.message}")
