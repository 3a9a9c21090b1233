"""Reads and closes the period of a terminal's totals."""

from __future__ import annotations

from facepay.db.models.periods import PeriodRow
from facepay.db.session import Database


def read_since_ms(database: Database, terminal: str) -> int:
    """When the period began, in Unix milliseconds; 0 before the first close."""
    with database.read() as session:
        row = session.get(PeriodRow, terminal)
        return row.since_ms if row else 0


def close_period(database: Database, terminal: str, at_ms: int) -> None:
    """Let a new period begin."""
    with database.begin() as session:
        session.merge(PeriodRow(terminal=terminal, since_ms=at_ms))
