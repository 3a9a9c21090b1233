"""Opens the database so that a committed row survives a power cut.

SQLite runs in WAL mode with `synchronous=FULL`, and a transaction that may write starts with `BEGIN
IMMEDIATE`: a writer waits for its turn at the start instead of failing in the middle. One that only reads
(`reader_of`) starts with a plain `BEGIN` and waits for nobody. PostgreSQL needs neither; it runs at
SERIALIZABLE's little sister READ COMMITTED with explicit row locks.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event

BUSY_TIMEOUT_MS = 5_000
"""How long a writer waits for another one before "database is locked"."""

LOG_PAGES = 8_000
"""Pages after which a commit itself moves SQLite's log into the file (32 MB); `Database.tidy` comes first."""

_READS = "facepay_reads"


def open_engine(url: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    """An engine for `sqlite:///path` or `postgresql+psycopg://...`; connects on first use."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": busy_timeout_ms / 1000, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


def reader_of(engine: Engine) -> Engine:
    """The same pool of connections for transactions that only read: on SQLite they wait for no writer."""
    return engine.execution_options(**{_READS: True})


def _prepare_sqlite(connection: Any, _record: Any) -> None:  # Any: the driver's own connection type
    # The driver must not open transactions by itself, or BEGIN IMMEDIATE would come too late.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"wal_autocheckpoint={LOG_PAGES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Any) -> None:  # Any: fires for every dialect's connection
    reads = connection.get_execution_options().get(_READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
