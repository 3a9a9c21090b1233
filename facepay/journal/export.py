"""Writes the journal out for accountants and auditors: JSON Lines, or CSV for a spreadsheet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TextIO

from sqlalchemy import Engine, Select, select

from facepay.db.engine import reader_of
from facepay.db.models.journal import JournalCheckpoint, JournalPayment, JournalRow
from facepay.journal.rows import Entry, as_entry

COLUMNS = (
    "chain",
    "sequence",
    "at",
    "payment",
    "state",
    "amount_minor",
    "currency",
    "original",
    "body",
    "previous",
    "hash",
)
"""Columns of the CSV, and keys of each JSON line; `at` is RFC 3339 in UTC."""


class Format(Enum):
    """What `export_rows` can write."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open span of time, aware datetimes."""

    since: datetime
    until: datetime

    @property
    def milliseconds(self) -> tuple[int, int]:
        """Both ends in UTC milliseconds since 1970."""
        return int(self.since.timestamp() * 1000), int(self.until.timestamp() * 1000)


def export_rows(engine: Engine, span: Span, form: Format, out: TextIO) -> int:
    """Write every row of the span, oldest first within its chain; returns how many."""
    count = 0
    writer = csv.writer(out)
    if form is Format.CSV:
        writer.writerow(COLUMNS)
    for row in _rows(engine, span):
        count += 1
        if form is Format.CSV:
            writer.writerow([row[column] for column in COLUMNS])
        else:
            out.write(json.dumps(row, ensure_ascii=True) + "\n")
    return count


def export_checkpoints(engine: Engine, out: TextIO) -> int:
    """Write every signed checkpoint, one statement a line; returns how many."""
    query = select(JournalCheckpoint.statement).order_by(JournalCheckpoint.chain, JournalCheckpoint.sequence)
    with reader_of(engine).connect() as connection:
        statements = connection.scalars(query).all()
    out.writelines(f"{statement}\n" for statement in statements)
    return len(statements)


def entries_reaching(engine: Engine, states: tuple[str, ...], span: Span) -> Iterator[Entry]:
    """Payments and refunds that reached one of the states within the span, as they stand now."""
    since, until = span.milliseconds
    reached = (
        select(JournalRow.payment)
        .where(JournalRow.state.in_(states), JournalRow.at_ms >= since, JournalRow.at_ms < until)
        .distinct()
    )
    query = select(JournalPayment.__table__).where(JournalPayment.payment.in_(reached))
    with reader_of(engine).connect() as connection:
        for row in connection.execute(query.order_by(JournalPayment.at_ms, JournalPayment.payment)):
            yield as_entry(row)


def states_of(engine: Engine, payment: str) -> tuple[str, ...]:
    """Every state a payment has passed, in order."""
    query = select(JournalRow.state).where(JournalRow.payment == payment).order_by(JournalRow.sequence)
    with reader_of(engine).connect() as connection:
        return tuple(connection.scalars(query))


def _rows(engine: Engine, span: Span) -> Iterator[dict[str, str | int | None]]:
    with reader_of(engine).connect() as connection:
        options = connection.execution_options(stream_results=True, max_row_buffer=10_000)
        for row in options.execute(_query(span)):
            yield {
                "chain": row.chain,
                "sequence": row.sequence,
                "at": datetime.fromtimestamp(row.at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
                "at_ms": row.at_ms,
                "payment": row.payment,
                "state": row.state,
                "amount_minor": row.amount_minor,
                "currency": row.currency,
                "original": row.original,
                "body": row.body,
                "previous": row.previous,
                "hash": row.hash,
            }


def _query(span: Span) -> Select[tuple[object, ...]]:
    since, until = span.milliseconds
    columns = (*JournalRow.__table__.c, JournalPayment.amount_minor, JournalPayment.currency)
    return (
        select(*columns, JournalPayment.original)
        .outerjoin(JournalPayment, JournalPayment.payment == JournalRow.payment)
        .where(JournalRow.at_ms >= since, JournalRow.at_ms < until)
        .order_by(JournalRow.chain, JournalRow.sequence)
    )
