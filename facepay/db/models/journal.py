"""Tables of the journal: the append-only chain, its signed checkpoints, and the state of each payment.

`journal_row` is the truth and refuses UPDATE and DELETE by a trigger. `journal_payment` is the state of
each payment read off the rows, written in the same transaction, so that a question costs one look-up;
`facepay journal verify` proves that it says the same as the rows.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Connection, Index, String, Table, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from facepay.db.base import Base


class JournalRow(Base):
    """One link of a terminal's chain: `hash` covers the row and `previous`, the hash of the one before."""

    __tablename__ = "journal_row"
    __table_args__ = (Index(None, "payment"),)

    chain: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    payment: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12))
    at_ms: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class JournalCheckpoint(Base):
    """A signed statement that the chain stood at `sequence` with `hash`: cutting it off later shows."""

    __tablename__ = "journal_checkpoint"

    chain: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    statement: Mapped[str] = mapped_column(Text)


class JournalPayment(Base):
    """Where one payment stands now, and what tills and pages look it up by.

    `moved_at_ms` is the time of its CAPTURED or REFUNDED row: the period it is counted in.
    """

    __tablename__ = "journal_payment"
    __table_args__ = (
        UniqueConstraint("request"),
        Index(None, "chain", "state"),
        Index(None, "account", "at_ms"),
        Index(None, "chain", "at_ms"),
        Index(None, "chain", "wire", "till", "at_ms"),
        Index(None, "chain", "receipt", "at_ms"),
        Index(None, "chain", "moved_at_ms"),
    )

    payment: Mapped[str] = mapped_column(String(64), primary_key=True)
    chain: Mapped[str] = mapped_column(String(64))
    request: Mapped[str] = mapped_column(String(200))
    fingerprint: Mapped[str] = mapped_column(String(64))
    original: Mapped[str | None] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(12))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    account: Mapped[str | None] = mapped_column(String(64))
    wire: Mapped[str | None] = mapped_column(String(64))
    till: Mapped[str | None] = mapped_column(String(200))
    receipt: Mapped[int | None] = mapped_column()
    at_ms: Mapped[int] = mapped_column(BigInteger)
    moved_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    body: Mapped[str] = mapped_column(Text)


APPEND_ONLY = ("journal_row", "journal_checkpoint")
"""Tables in which a row, once written, can be neither changed nor removed."""


def append_only_ddl(table: str, dialect: str) -> tuple[str, ...]:
    """Statements that make the database itself refuse to change or remove rows of `table`."""
    if dialect == "sqlite":
        return tuple(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        )
    return (
        f"CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()",
    )


def _make_append_only(table: Table, connection: Connection, **_: object) -> None:
    for statement in append_only_ddl(table.name, connection.dialect.name):
        connection.exec_driver_sql(statement)


for _name in APPEND_ONLY:
    event.listen(Base.metadata.tables[_name], "after_create", _make_append_only)
