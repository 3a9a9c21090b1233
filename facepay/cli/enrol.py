"""`facepay enrol`: consent, a guided capture, an account and a code, at this machine's camera."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from pathlib import Path

from facepay.cli.at_the_camera import Guide, camera_for
from facepay.cli.exits import Exit
from facepay.enrolment import Enrolled, EnrolmentRequest, load_consent
from facepay.errors import Cancelled
from facepay.settings import SecretReference, Settings
from facepay.terminal import open_terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("--photo", type=Path, metavar="FILE", help="a photo or video as camera (demo)")
    parser.add_argument("--digits", default="", help="last four digits of the phone number, if wanted")
    parser.add_argument("--account", default="", help="account at the payment provider (default: a new one)")
    parser.add_argument("--code", default="", metavar="REF", help="env:NAME or file:PATH of the code")
    parser.add_argument("--consent", default="", metavar="VERSION", help="agree to this version unasked")
    parser.add_argument("--reviewed", action="store_true", help="staff has compared two who look alike")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Ask for consent and code, then capture and store."""
    consent = load_consent(settings.enrolment.consent_version, settings.terminal.language)
    if arguments.consent != consent.version:
        print(consent.text)
        if input("Type yes to agree: ").strip().lower() != "yes":
            raise Cancelled("not enrolled: consent was not given")
    request = EnrolmentRequest(
        consent, _code(arguments.code), arguments.digits, arguments.account, arguments.reviewed
    )
    camera = camera_for(settings, arguments.photo)
    with open_terminal(settings, camera) as terminal:
        capture = terminal.capture_with(terminal.camera)
        enrolled = terminal.enrolment.enrol(request, capture, lambda attempt: Guide())
    _print(arguments, enrolled)
    return Exit.DONE


def _code(reference: str) -> str:
    if reference:
        return SecretReference(reference).read().decode("ascii", "replace")
    code = getpass.getpass("Choose a code of 4 digits: ")
    if getpass.getpass("The code again: ") != code:
        raise Cancelled("not enrolled: the two codes differ")
    return code


def _print(arguments: argparse.Namespace, enrolled: Enrolled) -> None:
    subject = enrolled.subject
    if arguments.json:
        row = {"subject": subject.subject, "account": subject.account, "samples": enrolled.samples}
        print(json.dumps(row))
        return
    print(f"enrolled: account {subject.account}, pseudonym {subject.subject}")
    print("The first payment asks for the code; that finishes the enrolment.", file=sys.stderr)
