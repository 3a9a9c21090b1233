"""Proves the journal from its first row to its last, and names the first row that is wrong.

Checked: every sequence number is there; every row's hash covers it and the row before; time never runs
back; every step is in the table of states; every checkpoint's signature holds and its row is still there
unchanged; the table of payments says what the rows say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, select

from facepay.db.engine import reader_of
from facepay.db.models.journal import JournalCheckpoint, JournalPayment, JournalRow
from facepay.journal.errors import IllegalTransition
from facepay.journal.rows import GENESIS, Link
from facepay.journal.states import State, require_step
from keys.errors import StatementRefused
from keys.statements import StatementKind, verify_statement
from keys.types import KeyId

PROBLEMS_SHOWN = 100
"""After so many problems the rest is not worth listing."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, at which row of which chain."""

    chain: str
    sequence: int
    what: str

    def __str__(self) -> str:
        return f"{self.chain} row {self.sequence}: {self.what}"


@dataclass(slots=True)
class Report:
    """What was read and what was wrong with it."""

    rows: int = 0
    chains: int = 0
    payments: int = 0
    checkpoints: int = 0
    unsigned_rows: int = 0
    """Rows after the last checkpoint of their chain: their loss would not show here yet."""
    problems: list[Problem] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def add(self, chain: str, sequence: int, what: str) -> None:
        """Note a problem; beyond `PROBLEMS_SHOWN` they are not kept."""
        if len(self.problems) < PROBLEMS_SHOWN:
            self.problems.append(Problem(chain, sequence, what))


@dataclass(slots=True)
class _Chain:
    name: str
    sequence: int = 0
    hash: str = GENESIS
    at_ms: int = 0
    marks: dict[int, str] = field(default_factory=dict)
    signed: int = 0


def verify_journal(engine: Engine, trusted: Mapping[KeyId, bytes]) -> Report:
    """Read everything once; memory grows with the number of payments, not of rows.

    Args:
        trusted: Public keys by id whose checkpoints count (32 bytes each).
    """
    report, states = Report(), dict[str, str]()
    with reader_of(engine).connect() as connection:
        for chain, rows in _by_chain(connection):
            at = _Chain(chain, marks=_checkpoints(connection, chain, trusted, report))
            for row in rows:
                _check_row(at, row, states, report)
            _check_end(at, report)
            report.unsigned_rows += at.sequence - at.signed
            report.chains += 1
        _check_payments(connection, states, report)
    report.payments = len(states)
    return report


def _by_chain(connection: Connection) -> Iterator[tuple[str, Iterator[tuple[Link, str]]]]:
    names = {
        *connection.scalars(select(JournalRow.chain).distinct()),
        *connection.scalars(select(JournalCheckpoint.chain).distinct()),
    }
    for chain in sorted(names):
        yield chain, _rows(connection, chain)


def _rows(connection: Connection, chain: str) -> Iterator[tuple[Link, str]]:
    query = select(JournalRow.__table__).where(JournalRow.chain == chain).order_by(JournalRow.sequence)
    found = connection.execution_options(stream_results=True, max_row_buffer=10_000).execute(query)
    # A plain tuple is read ten times as fast as a named column; the order is that of the table.
    for *fields, row_hash in (tuple(row) for row in found):
        yield Link(*fields), row_hash


def _check_row(at: _Chain, row: tuple[Link, str], states: dict[str, str], report: Report) -> None:
    link, row_hash = row
    report.rows += 1
    if link.sequence != at.sequence + 1:
        report.add(at.name, link.sequence, f"rows {at.sequence + 1} to {link.sequence - 1} are missing")
    elif link.previous != at.hash:
        report.add(at.name, link.sequence, "does not follow the row before: one of them was altered")
    if link.hash != row_hash:
        report.add(at.name, link.sequence, "was altered: its hash does not cover it")
    if link.at_ms < at.at_ms:
        report.add(at.name, link.sequence, "is older than the row before")
    _check_step(link, states, report)
    mark = at.marks.pop(link.sequence, None)
    if mark is not None:
        at.signed = link.sequence
        if mark != row_hash:
            report.add(at.name, link.sequence, "is not the row its checkpoint was signed over")
    at.sequence, at.hash, at.at_ms = link.sequence, row_hash, link.at_ms


def _check_step(link: Link, states: dict[str, str], report: Report) -> None:
    before = states.get(link.payment)
    states[link.payment] = link.state
    try:
        after = State(link.state)
        if before is None:
            if after is not State.NEW:
                report.add(link.chain, link.sequence, f"payment {link.payment} begins with {link.state}")
        else:
            require_step(State(before), after)
    except ValueError:
        report.add(link.chain, link.sequence, f"{link.state!r} is no state")
    except IllegalTransition as error:
        report.add(link.chain, link.sequence, str(error))


def _check_end(at: _Chain, report: Report) -> None:
    for sequence in sorted(at.marks):
        if sequence > at.sequence:
            report.add(at.name, sequence, f"was cut off: a checkpoint signs it, rows end at {at.sequence}")


def _checkpoints(
    connection: Connection, chain: str, trusted: Mapping[KeyId, bytes], report: Report
) -> dict[int, str]:
    marks: dict[int, str] = {}
    query = select(JournalCheckpoint.sequence, JournalCheckpoint.statement)
    for sequence, statement in connection.execute(query.where(JournalCheckpoint.chain == chain)):
        report.checkpoints += 1
        try:
            claims = verify_statement(StatementKind.CHECKPOINT, statement, trusted)
        except StatementRefused as error:
            report.add(chain, sequence, f"checkpoint refused: {error}")
            continue
        if (claims.get("chain"), claims.get("sequence")) != (chain, sequence):
            report.add(chain, sequence, "checkpoint belongs to another row")
        marks[sequence] = str(claims.get("hash"))
    return marks


def _check_payments(connection: Connection, states: Mapping[str, str], report: Report) -> None:
    query = select(JournalPayment.payment, JournalPayment.state, JournalPayment.chain)
    seen = 0
    for payment, state, chain in connection.execute(query):
        seen += 1
        if states.get(payment) != state:
            rows_say = states.get(payment, "nothing")
            report.add(chain, 0, f"payment {payment} is kept as {state}, its rows say {rows_say}")
    if seen < len(states):
        report.add("*", 0, f"{len(states) - seen} payments of the rows are missing among the payments kept")
