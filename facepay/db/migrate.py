"""Brings a database to the shape of this release: packaged Alembic migrations, run at start.

Two processes that start together do not trip over each other: SQLite's BEGIN IMMEDIATE and
PostgreSQL's advisory lock let one of them wait.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from facepay.errors import DatabaseFault

LOCK = 0x0FACE9A1
"""Number of the advisory lock; any constant that nobody else uses."""


def migrate(engine: Engine) -> None:
    """Upgrade to the newest migration.

    Raises:
        DatabaseFault: the database was made by a newer release.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        try:
            command.upgrade(alembic_config(connection), "head")
        except CommandError as error:
            raise DatabaseFault(
                "the database was made by a newer release of facepay: upgrade facepay, or restore a backup"
            ) from error


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration, without an ini file, over an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
