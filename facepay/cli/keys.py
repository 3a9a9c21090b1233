"""`facepay keys`: the life of the keys, and what two persons decide about them."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from facepay.audit import AuditEvent
from facepay.cli import keys_slots
from facepay.cli.exits import Exit
from facepay.custody import Thresholds
from facepay.errors import SettingsError
from facepay.gallery.rotation import Rotated
from facepay.settings import SecretReference, Settings
from facepay.terminal.keeping import Keeping, open_keeping
from facepay.terminal.places import create_keys, keys_uri, passphrase_cost
from keys import KeyUse, create_file_keystore
from keys.approvals import Action, approve
from keys.escrow import restore_keystore, split_root
from keys.hygiene import wipe
from keys.keystore_file import FileKeyStore, open_file_keystore
from keys.types import KeyId

SHARE_LIMIT = 4096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    actions = parser.add_subparsers(dest="action", required=True)
    generate = actions.add_parser("generate", help="make the key store, or a pending key in it")
    generate.add_argument("--use", choices=[use.name.lower() for use in KeyUse], default="wrap")
    actions.add_parser("list", help="every key with its state")
    rotate = actions.add_parser("rotate", help="move everything under a new wrapping key, sales go on")
    rotate.add_argument("--resume", action="store_true", help="finish an interrupted rotation only")
    renew = actions.add_parser(
        "renew", help="rotate, and seal every reference anew under a fresh data key, sales go on"
    )
    destroy = actions.add_parser("destroy", help="destroy a retired key; backups under it die")
    destroy.add_argument("key", help="id of the key")
    escrow = actions.add_parser("escrow", help="write three shares of the root key; two restore it")
    escrow.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder for the shares")
    restore = actions.add_parser("restore", help="give the key store a new passphrase with two shares")
    restore.add_argument("--share", type=Path, action="append", required=True, metavar="FILE")
    keys_slots.add_arguments(actions.add_parser("slot", help="who and what opens the key store file"))
    threshold = actions.add_parser("threshold", help="put approved thresholds into force")
    person = actions.add_parser("person", help="make an approver's own key; prints the line for settings")
    person.add_argument("name", help="who it is")
    person.add_argument("file", type=Path, help="where their key is kept")
    consent = actions.add_parser("approve", help="approve a deed; prints the approval")
    consent.add_argument("deed", choices=[action.value for action in Action])
    consent.add_argument(
        "target", help="key id, `root`, `gallery`, thresholds, or for a refund PAYMENT AMOUNT CURRENCY"
    )
    consent.add_argument("--by", type=Path, required=True, metavar="FILE", help="the approver's key")
    for action in (renew, destroy, escrow, threshold):
        action.add_argument("--approval", type=Path, action="append", default=[], metavar="FILE")
    for action in (person, consent, restore):
        action.add_argument("--secret", default="", help="passphrase as env:NAME or file:PATH")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Do what `arguments.action` says."""
    alone = _ALONE.get(arguments.action)
    if alone:
        return alone(arguments, settings)
    if arguments.action == "generate" and create_keys(settings):
        print(f"made {keys_uri(settings)} with one active key of each use")
        return Exit.DONE
    with open_keeping(settings, actor=f"cli:{getpass.getuser()}") as keeping:
        return _TOGETHER[arguments.action](arguments, settings, keeping)


def _generate(arguments: argparse.Namespace, settings: Settings, keeping: Keeping) -> Exit:
    key = keeping.keys.generate(KeyUse[arguments.use.upper()])
    print(json.dumps({"key": key}) if arguments.json else f"made {key}, pending")
    return Exit.DONE


def _list(arguments: argparse.Namespace, settings: Settings, keeping: Keeping) -> Exit:
    due = keeping.rotation.due()
    rows = [
        {
            "key": record.key,
            "use": record.use.name.lower(),
            "state": record.state.name.lower().replace("_", "-"),
            "changed": time.strftime("%Y-%m-%d %H:%M", time.gmtime(record.changed_at_s)),
            "destroy": record.key in due,
        }
        for record in keeping.keys.records()
    ]
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return Exit.DONE
    for row in rows:
        note = "  its destruction is due" if row["destroy"] else ""
        print(f"{row['key']}  {row['use']:<7} {row['state']:<13} since {row['changed']} UTC{note}")
    return Exit.DONE


def _rotate(arguments: argparse.Namespace, settings: Settings, keeping: Keeping) -> Exit:
    done = keeping.rotation.resume() if arguments.resume else keeping.rotation.rotate()
    return _moved(arguments, keeping, done, AuditEvent.RENEWED if done.renewed else AuditEvent.ROTATED)


def _renew(arguments: argparse.Namespace, settings: Settings, keeping: Keeping) -> Exit:
    done = keeping.rotation.rotate(keeping.custody.begin_renewal(_approvals(arguments)))
    return _moved(arguments, keeping, done, AuditEvent.RENEWED)


def _moved(arguments: argparse.Namespace, keeping: Keeping, done: Rotated, event: AuditEvent) -> Exit:
    detail = done.facts()
    keeping.audit.note(event, detail=detail)
    if arguments.json:
        print(json.dumps(detail))
    else:
        print(f"active is {done.active}, {done.moved} rows moved, {done.renewed} of them sealed anew")
    for reference in done.unreadable:
        print(f"facepay: reference {reference} does not open and was left behind", file=sys.stderr)
    return Exit.CHECK_FAILED if done.unreadable else Exit.DONE


def _destroy(arguments: argparse.Namespace, settings: Settings, keeping: Keeping) -> Exit:
    keeping.custody.destroy(KeyId(arguments.key), _approvals(arguments))
    print(json.dumps({"destroyed": arguments.key}) if arguments.json else f"{arguments.key} is destroyed")
    return Exit.DONE


def _escrow(arguments: argparse.Namespace, settings: Settings, keeping: Keeping) -> Exit:
    if not isinstance(keeping.keys, FileKeyStore):
        raise SettingsError("only a file key store has a root key to escrow; a provider keeps its own")
    root = keeping.custody.export_root(keeping.keys, _approvals(arguments))
    try:
        shares = split_root(root)
    finally:
        wipe(root)
    arguments.to.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number, share in enumerate(shares, 1):
        path = arguments.to / f"share-{number}-of-3.txt"
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(share + "\n", "ascii")
        print(f"wrote {path}: give it to one person, then remove it here")
    return Exit.DONE


def _threshold(arguments: argparse.Namespace, settings: Settings, keeping: Keeping) -> Exit:
    thresholds = Thresholds.of(settings.recognition)
    print(thresholds.text())
    if arguments.approval:
        keeping.custody.approve_thresholds(thresholds, _approvals(arguments))
        print("in force")
    return Exit.DONE


def _restore(arguments: argparse.Namespace, settings: Settings) -> Exit:
    uri = keys_uri(settings)
    if not uri.startswith("file:"):
        raise SettingsError("only a file key store is restored from shares")
    shares = [_text(path) for path in arguments.share]
    path = Path(uri.removeprefix("file:").partition("?")[0])
    passphrase = _passphrase(arguments, "new passphrase: ")
    restore_keystore(path, shares, passphrase, cost=passphrase_cost(settings)).close()
    print(f"{path} opens with the new passphrase")
    return Exit.DONE


def _person(arguments: argparse.Namespace, settings: Settings) -> Exit:
    passphrase, cost = _passphrase(arguments, "passphrase: "), passphrase_cost(settings)
    with create_file_keystore(arguments.file, passphrase, cost=cost) as store:
        key = store.signing_key
        print(f"{arguments.name} {key} {store.verifying_key(key).hex()}")
    return Exit.DONE


def _approve(arguments: argparse.Namespace, settings: Settings) -> Exit:
    secret = _passphrase(arguments, "your passphrase: ")
    with open_file_keystore(arguments.by, lambda: secret) as store:
        print(approve(Action(arguments.deed), arguments.target, store, now_s=int(time.time())))
    return Exit.DONE


def _approvals(arguments: argparse.Namespace) -> list[str]:
    return [_text(path) for path in arguments.approval]


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(SHARE_LIMIT).decode("ascii", "replace").strip()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error


def _passphrase(arguments: argparse.Namespace, prompt: str) -> str:
    if arguments.secret:
        return SecretReference(arguments.secret).read().decode()
    if not sys.stdin.isatty():
        raise SettingsError(
            "there is no keyboard to ask for a passphrase: give --secret env:NAME or file:PATH"
        )
    return getpass.getpass(prompt)


_ALONE: dict[str, Callable[[argparse.Namespace, Settings], Exit]] = {
    "restore": _restore,
    "person": _person,
    "approve": _approve,
}
_TOGETHER: dict[str, Callable[[argparse.Namespace, Settings, Keeping], Exit]] = {
    "generate": _generate,
    "list": _list,
    "rotate": _rotate,
    "renew": _renew,
    "destroy": _destroy,
    "escrow": _escrow,
    "threshold": _threshold,
    "slot": keys_slots.run,
}
