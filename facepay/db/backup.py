"""A database as one sealed file, and back: SQLite's own online copy, which never lies on a disk in the clear.

It is an envelope like every other (`keys.envelope`): its data key is wrapped by the active wrapping key, so a
backup dies with that key, as the references in it do. A copy of the raw file would keep accounts and journal
readable to whoever finds it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from facepay.db.session import Database, fault
from facepay.errors import DatabaseFault
from keys.base import Wrapping
from keys.durable import read_bounded, write_durably
from keys.envelope import decode_envelope, seal_envelope, unseal_envelope
from keys.errors import SealBroken
from keys.hygiene import wipe
from keys.types import Context, KeyId, Purpose

LIMIT = 4 << 30
"""Bytes of a backup that is read; the whole of it is in memory for a moment."""


def write_backup(database: Database, keys: Wrapping, tenant: str, path: Path) -> KeyId:
    """Seal the database as it is now into a new file, while it goes on; the key that opens it.

    Raises:
        DatabaseFault: it is no SQLite database, the file is there already, or cannot be written.
    """
    if database.engine.dialect.name != "sqlite":
        raise DatabaseFault("only SQLite is backed up here: use pg_dump, and seal what it writes")
    if path.exists():
        raise DatabaseFault(f"{path} is already there; a backup is never overwritten")
    plain = bytearray(_copy(database))
    try:
        envelope = seal_envelope(plain, _context(tenant), keys)
    finally:
        wipe(plain)
    try:
        write_durably(path, envelope.encode())
    except OSError as error:
        raise DatabaseFault(f"{path} cannot be written: {error.strerror}") from error
    return envelope.wrapped.key


def read_backup(path: Path, keys: Wrapping, tenant: str, to: Path) -> None:
    """Open a backup into a new database file.

    Raises:
        DatabaseFault: a file is missing, in the way or cannot be written, or the backup was altered.
        KeysError: it is no backup, or the key that opens it is not here or destroyed.
    """
    if to.exists():
        raise DatabaseFault(f"{to} is already there; a backup is opened beside it, never over it")
    try:
        envelope = decode_envelope(read_bounded(path, LIMIT))
        plain = unseal_envelope(envelope, _context(tenant), keys)
    except OSError as error:
        raise DatabaseFault(f"{path} cannot be read: {error.strerror}") from error
    except SealBroken as error:
        raise DatabaseFault(
            f"{path} does not open: it was altered or cut, or is of another shop than terminal.tenant"
        ) from error
    try:
        write_durably(to, plain)
    except OSError as error:
        raise DatabaseFault(f"{to} cannot be written: {error.strerror}") from error
    finally:
        wipe(plain)


def _copy(database: Database) -> bytes:
    try:
        with closing(sqlite3.connect(":memory:")) as memory:
            raw = database.engine.raw_connection()
            try:
                # The driver's connection behind the pool's; SQLAlchemy's type for it is the general one.
                source: sqlite3.Connection = raw.driver_connection  # type: ignore[assignment]
                source.backup(memory)
            finally:
                raw.close()
            return memory.serialize()
    except sqlite3.Error as error:
        raise DatabaseFault(f"the database cannot be copied: {error}") from error
    except SQLAlchemyError as error:
        raise fault(error) from error


def _context(tenant: str) -> Context:
    return Context(Purpose.BACKUP, tenant)
