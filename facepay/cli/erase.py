"""`facepay erase`: erase a payer with a signed receipt, or verify such a receipt."""

from __future__ import annotations

import argparse
import getpass
import json
from pathlib import Path

from facepay.cli.exits import Exit
from facepay.erasure import Finding
from facepay.erasure.receipt import SILENT_ON, SPEAKS_FOR
from facepay.errors import ReceiptRefused, SettingsError, UnknownName
from facepay.settings import Settings
from facepay.terminal.keeping import Keeping, open_keeping
from facepay.types import SubjectId

RECEIPT_LIMIT = 64 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("subject", nargs="?", default="", help="pseudonym or account of the payer")
    parser.add_argument("--verify", type=Path, metavar="RECEIPT", help="check a deletion receipt instead")
    parser.add_argument(
        "--unused", action="store_true", help="erase everybody who has not paid for enrolment.unused_days"
    )
    parser.add_argument("--receipt", type=Path, metavar="FILE", help="write the receipt here")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Erase, or verify."""
    if arguments.unused and (arguments.subject or arguments.verify or arguments.receipt):
        raise SettingsError("--unused erases whoever is due: name no payer and no file beside it")
    if not (arguments.subject or arguments.verify or arguments.unused):
        raise SettingsError("name the payer to erase, or a receipt with --verify")
    with open_keeping(settings, actor=f"cli:{getpass.getuser()}") as keeping:
        if arguments.unused:
            return _erase_unused(arguments, keeping)
        return _verify(arguments, keeping) if arguments.verify else _erase(arguments, keeping)


def _erase(arguments: argparse.Namespace, keeping: Keeping) -> Exit:
    gallery, name = keeping.gallery, arguments.subject
    payer = gallery.find_account(name) or gallery.find_subject(SubjectId(name))
    if payer is None:
        raise UnknownName(f"nobody is enrolled as {name}")
    subject, token = payer.subject, keeping.leaving.leave(payer)
    if arguments.receipt:
        arguments.receipt.write_text(token + "\n", "ascii")
    if arguments.json:
        print(json.dumps({"erased": subject, "receipt": token}))
        return Exit.DONE
    print(f"{subject} is erased. The receipt speaks for:")
    print("".join(f"  - {line}\n" for line in SPEAKS_FOR) + "and cannot speak for:")
    print("".join(f"  - {line}\n" for line in SILENT_ON), end="")
    print("next: `facepay keys rotate` (a running terminal does it within 12 hours), then, within 24 hours,")
    print("`facepay keys destroy` of the old key: from then on no backup opens for this payer")
    print(f"receipt written to {arguments.receipt}" if arguments.receipt else token)
    return Exit.DONE


def _erase_unused(arguments: argparse.Namespace, keeping: Keeping) -> Exit:
    due = keeping.disuse.due()
    for payer in due:
        keeping.leaving.leave(payer)
    if arguments.json:
        print(json.dumps({"erased": [payer.subject for payer in due]}))
        return Exit.DONE
    print("".join(f"{payer.subject} is erased\n" for payer in due) + f"{len(due)} payers were due")
    return Exit.DONE


def _verify(arguments: argparse.Namespace, keeping: Keeping) -> Exit:
    try:
        with arguments.verify.open("rb") as file:
            token = file.read(RECEIPT_LIMIT).decode("ascii", "replace").strip()
    except OSError as error:
        raise SettingsError(f"the receipt {arguments.verify} cannot be read: {error.strerror}") from error
    try:
        finding = keeping.verifier.verify(token, SubjectId(arguments.subject) if arguments.subject else None)
    except ReceiptRefused as error:
        print(json.dumps({"holds": False, "reason": str(error)}) if arguments.json else f"refused: {error}")
        return Exit.CHECK_FAILED
    _print(arguments, finding)
    return Exit.DONE


def _print(arguments: argparse.Namespace, finding: Finding) -> None:
    receipt = finding.receipt
    if arguments.json:
        fields = {"holds": True, "number": receipt.number, "wrapping_keys": finding.wrapping_keys}
        print(json.dumps({**fields, "backups_dead": finding.backups_dead}))
        return
    print(
        f"receipt {receipt.number} holds: {len(receipt.digests)} data keys destroyed, entry "
        f"{receipt.inclusion.position} of the audit log, and none of them is in the database"
    )
    for key, state in finding.wrapping_keys.items():
        print(f"  wrapping key {key}: {state.lower().replace('_', '-')}")
    if finding.backups_dead:
        print("no backup of this database can be opened for this payer any more")
    else:
        print("backups from before can still be opened until these wrapping keys are destroyed")
