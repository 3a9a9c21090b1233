"""`facepay keys slot`: who and what opens a key store file: passphrases, a credential, a TPM 2.0 chip."""

from __future__ import annotations

import argparse
import json

from facepay.audit import AuditEvent
from facepay.cli.exits import Exit
from facepay.errors import SettingsError
from facepay.settings import SecretReference, Settings
from facepay.terminal.keeping import Keeping
from facepay.terminal.places import passphrase_cost
from keys.file_store import FileKeyStore
from keys.opening import open_chip
from keys.slots import Slot, SlotKind, cost_of
from keys.stretching import write_cost
from keys.tpm2_slot import DEFAULT_PCRS

ADDED = (SlotKind.PASSPHRASE, SlotKind.CREDENTIAL, SlotKind.TPM2)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `slot`."""
    deeds = parser.add_subparsers(dest="slot_deed", required=True, metavar="DEED")
    deeds.add_parser("list", help="every slot with its kind")
    add = deeds.add_parser("add", help="let another secret, or this machine's chip, open the key store")
    add.add_argument("kind", choices=[kind.name.lower() for kind in ADDED])
    add.add_argument("--secret", default="", metavar="REF", help="env:NAME or file:PATH of the secret")
    add.add_argument(
        "--pcr", type=int, action="append", metavar="N", help="registers a TPM2 slot depends on (default: 7)"
    )
    add.add_argument("--tcti", default="", help="how the chip is reached (default: device:/dev/tpmrm0)")
    remove = deeds.add_parser("remove", help="take a slot away; the last one stays")
    remove.add_argument("number", type=int)
    for deed in deeds.choices.values():
        deed.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")


def run(arguments: argparse.Namespace, settings: Settings, keeping: Keeping) -> Exit:
    """List, add or remove."""
    store = keeping.keys
    if not isinstance(store, FileKeyStore):
        raise SettingsError("only a file key store has slots; a provider opens its own")
    if arguments.slot_deed == "add":
        number = _add(arguments, settings, store)
        keeping.audit.note(AuditEvent.SLOT_ADDED, detail={"slot": number, "kind": arguments.kind})
    elif arguments.slot_deed == "remove":
        store.remove_slot(arguments.number)
        keeping.audit.note(AuditEvent.SLOT_REMOVED, detail={"slot": arguments.number})
    slots = [_told(slot) for slot in store.slots()]
    if arguments.json:
        print(json.dumps(slots))
    else:
        print("\n".join("  ".join(map(str, slot.values())) for slot in slots))
    return Exit.DONE


def _add(arguments: argparse.Namespace, settings: Settings, store: FileKeyStore) -> int:
    kind = SlotKind[arguments.kind.upper()]
    if kind is SlotKind.TPM2:
        pcrs = frozenset(arguments.pcr or DEFAULT_PCRS)
        return store.add_chip(open_chip(arguments.tcti), pcrs)
    if not arguments.secret:
        raise SettingsError(f"say where the new {arguments.kind} is: --secret env:NAME or file:PATH")
    secret = SecretReference(arguments.secret).read()
    if kind is SlotKind.PASSPHRASE:
        return store.add_passphrase(secret, passphrase_cost(settings))
    return store.add_credential(secret)


def _told(slot: Slot) -> dict[str, int | str]:
    """What is said of a slot; of a passphrase also what each try at it costs."""
    told: dict[str, int | str] = {"slot": slot.number, "kind": slot.kind.name.lower()}
    cost = cost_of(slot)
    return told | {"argon2": write_cost(cost)} if cost else told
