"""`facepay enrol`: consent, a guided capture, an account and a code, at this machine's camera."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from pathlib import Path

from facepay.cli.at_the_camera import Guide, terminal_at
from facepay.cli.exits import Exit
from facepay.enrolment import Enrolled, EnrolmentRequest, code_png, code_svg, load_consent
from facepay.errors import Cancelled, SettingsError
from facepay.psp.base import PayerToken
from facepay.settings import SecretReference, Settings
from facepay.types import TemplateMode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("--photo", type=Path, metavar="FILE", help="a photo or video as camera (demo)")
    parser.add_argument("--digits", default="", help="last four digits of the phone number, if wanted")
    parser.add_argument("--account", default="", help="account at the payment provider (default: a new one)")
    parser.add_argument(
        "--payer",
        default="",
        help="who pays, as the provider names them; token:... for the till's own",
    )
    parser.add_argument("--code", default="", metavar="REF", help="env:NAME or file:PATH of the code")
    parser.add_argument("--consent", default="", metavar="VERSION", help="agree to this version unasked")
    parser.add_argument(
        "--template",
        choices=[mode.value for mode in TemplateMode],
        help="where the template is kept (default: the first of templates.modes)",
    )
    parser.add_argument(
        "--code-to", type=Path, metavar="FILE", help="write the shopper's own code here (.png, .svg or text)"
    )
    parser.add_argument("--reviewed", action="store_true", help="staff has compared two who look alike")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Ask for consent and code, then capture and store."""
    consent = load_consent(settings.enrolment.consent_version, settings.terminal.language)
    if arguments.consent != consent.version:
        print(consent.text)
        if input("Type yes to agree: ").strip().lower() != "yes":
            raise Cancelled("not enrolled: consent was not given")
    mode = TemplateMode(arguments.template) if arguments.template else settings.templates.modes[0]
    if mode is not TemplateMode.GALLERY and arguments.code_to is None and not arguments.json:
        raise SettingsError("the template goes to the shopper: say where to write their code with --code-to")
    request = EnrolmentRequest(
        consent, _code(arguments.code), arguments.digits, arguments.account, arguments.reviewed, mode
    )
    with terminal_at(settings, arguments.photo) as terminal:
        capture = terminal.capture_with(terminal.camera)
        enrolled = terminal.enrolment.enrol(request, capture, lambda attempt: Guide())
        if arguments.payer:
            terminal.money.accounts.set_payer(enrolled.subject.account, PayerToken(arguments.payer))
    if enrolled.code and arguments.code_to:
        _write(arguments.code_to, enrolled.code)
    _print(arguments, enrolled, prepaid=settings.psp.driver == "ledger")
    return Exit.DONE


def _write(path: Path, code: str) -> None:
    drawn = {".png": code_png, ".svg": lambda text: code_svg(text).encode()}.get(path.suffix.lower())
    path.touch(mode=0o600)
    path.write_bytes(drawn(code) if drawn else code.encode() + b"\n")


def _code(reference: str) -> str:
    if reference:
        return SecretReference(reference).read().decode("ascii", "replace")
    code = getpass.getpass("Choose a code of 4 digits: ")
    if getpass.getpass("The code again: ") != code:
        raise Cancelled("not enrolled: the two codes differ")
    return code


def _print(arguments: argparse.Namespace, enrolled: Enrolled, *, prepaid: bool) -> None:
    subject = enrolled.subject
    if arguments.json:
        row = {"subject": subject.subject, "account": subject.account, "samples": enrolled.samples}
        print(json.dumps({**row, "code": enrolled.code} if enrolled.code else row))
        return
    print(f"enrolled: account {subject.account}, pseudonym {subject.subject}")
    if enrolled.code:
        print(f"the shopper's own code is in {arguments.code_to}: hand it over, then remove it here")
    if prepaid:
        print(f"The account is prepaid: facepay wallet top-up {subject.account} 20.00", file=sys.stderr)
    print("The first payment asks for the code; that finishes the enrolment.", file=sys.stderr)
