"""Opens the product's database, brings it to this release's shape, and hands out transactions.

Every failure of the driver becomes a `DatabaseFault` whose text an operator can act on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from facepay.db.engine import open_engine, reader_of
from facepay.db.migrate import migrate
from facepay.errors import DatabaseFault, SettingsError

ADVICE = (
    ("disk is full", "the disk is full: free some space, nothing was lost"),
    ("database or disk is full", "the disk is full: free some space, nothing was lost"),
    ("not a database", "this file is no database: restore it from a backup or name another one"),
    ("malformed", "the database is damaged: restore it from a backup"),
    ("readonly", "the database cannot be written: check the owner and mode of the file and its folder"),
    ("unable to open", "the database cannot be opened: check that its folder exists and can be written"),
    ("locked", "another process holds the database: stop it, or wait until it is done"),
    ("refused", "the database server does not answer: check its address and that it runs"),
)


class Database:
    """One opened database, at the newest migration."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._reader = reader_of(engine)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Raises:
            DatabaseFault: the database failed; nothing of the block was kept.
        """
        try:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                yield session
        except SQLAlchemyError as error:
            raise fault(error) from error

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One transaction that only reads; on SQLite it waits for no writer.

        Raises:
            DatabaseFault: the database failed.
        """
        try:
            with Session(self._reader, expire_on_commit=False) as session:
                yield session
        except SQLAlchemyError as error:
            raise fault(error) from error

    def tidy(self) -> None:
        """Move SQLite's log into the file, so that no sale's commit has to; waits for nobody."""
        self._move_log("PASSIVE")

    def erase_traces(self) -> None:
        """Push deleted bytes out of SQLite's write-ahead log as well; does nothing elsewhere."""
        self._move_log("TRUNCATE")

    def _move_log(self, mode: str) -> None:
        if self.engine.dialect.name != "sqlite":
            return
        try:
            raw = self.engine.raw_connection()
            try:
                raw.cursor().execute(f"PRAGMA wal_checkpoint({mode})")
            finally:
                raw.close()
        except SQLAlchemyError as error:
            raise fault(error) from error

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open `sqlite:///path` or `postgresql+psycopg://...`, making and migrating what is missing.

    Raises:
        SettingsError: the url is not one.
        DatabaseFault: the database cannot be opened, is damaged, or belongs to a newer release.
    """
    try:
        path = make_url(url).database
        if url.startswith("sqlite") and path and path != ":memory:":
            _make_private(Path(path))
        engine = open_engine(url)
    except ArgumentError as error:
        raise SettingsError("database.url is no database url, for example sqlite:///facepay.db") from error
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"database.url needs the package {error.name}: pip install {error.name}"
        ) from error
    try:
        migrate(engine)
    except SQLAlchemyError as error:
        engine.dispose()
        raise fault(error) from error
    return Database(engine)


def fault(error: SQLAlchemyError) -> DatabaseFault:
    """The operator's words for a failure of the driver; never the statement or its values."""
    cause = str(getattr(error, "orig", None) or type(error).__name__)
    for mark, words in ADVICE:
        if mark in cause.lower():
            return DatabaseFault(words)
    return DatabaseFault(f"the database failed: {cause.splitlines()[0]}")


def _make_private(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made before SQLite does, so that nobody else can read it for even a moment; its log and
        # shared memory take the same mode.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise DatabaseFault(f"the database {path} cannot be made: {error.strerror}") from error
