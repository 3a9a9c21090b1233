"""`facepay backup`: the database as one sealed file, while sales go on; and such a file opened again."""

from __future__ import annotations

import argparse
import getpass
import json
from pathlib import Path

from facepay.audit import AuditEvent
from facepay.cli.exits import Exit
from facepay.db.backup import read_backup, write_backup
from facepay.settings import Settings
from facepay.terminal.keeping import open_keeping
from facepay.terminal.places import open_keys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("file", type=Path, help="the sealed backup; never overwritten")
    parser.add_argument("--open-to", type=Path, metavar="DATABASE", help="open it into a new database")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Seal, or open."""
    tenant = settings.terminal.tenant
    if arguments.open_to is not None:
        with open_keys(settings) as keys:
            read_backup(arguments.file, keys, tenant, arguments.open_to)
        _tell(arguments, f"opened into {arguments.open_to}", opened=str(arguments.open_to))
        return Exit.DONE
    with open_keeping(settings, actor=f"cli:{getpass.getuser()}") as keeping:
        key = write_backup(keeping.database, keeping.keys, tenant, arguments.file)
        keeping.audit.note(AuditEvent.BACKED_UP, detail={"key": key})
    words = f"wrote {arguments.file}: it opens until key {key} is destroyed; keep the key store apart"
    _tell(arguments, words, backup=str(arguments.file), key=key)
    return Exit.DONE


def _tell(arguments: argparse.Namespace, words: str, **facts: str) -> None:
    print(json.dumps(facts) if arguments.json else words)
