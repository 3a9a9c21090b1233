"""Proving the journal: whatever was altered or cut is named."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from facepay.journal import Journal, Opening, State
from facepay.journal.checkpoints import Checkpoints, Period
from facepay.journal.export import Format, Span, export_checkpoints, export_rows
from facepay.journal.rows import Link
from facepay.journal.verify import Report, verify_journal
from keys.keystore_memory import MemoryKeyStore
from keys.types import KeyId
from pos_adapter.types import Money, TransactionId

HOUR_MS = 3_600_000
NOON = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp() * 1000)
SPAN = Span(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


class Books:
    """A journal with its checkpoints and a clock that is set by hand."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now_ms = NOON
        self.store = MemoryKeyStore()
        self.journal = Journal(engine, chain="T1", now_ms=lambda: self.now_ms)
        self.checkpoints = Checkpoints(engine, chain="T1", signer=self.store, now_ms=lambda: self.now_ms)

    def pay(self, name: str) -> None:
        payment = TransactionId(name)
        self.journal.begin(Opening(payment, f"request-{name}", "f", Money(100, "EUR")))
        self.journal.advance(payment, State.IDENTIFIED)
        self.journal.advance(payment, State.DECLINED)

    def verify(self) -> Report:
        key = self.store.signing_key
        return verify_journal(self.engine, {key: self.store.verifying_key(key)})

    def tamper(self, statement: str) -> None:
        with self.engine.begin() as connection:
            for table in ("journal_row", "journal_checkpoint"):
                for verb in ("update", "delete"):
                    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")
            connection.exec_driver_sql(statement)

    def rehash_from(self, sequence: int) -> None:
        """What an insider with the database would do: hash everything anew from a row on."""
        with self.engine.begin() as connection:
            rows = connection.exec_driver_sql(
                "SELECT chain, sequence, payment, state, at_ms, body, previous "
                "FROM journal_row ORDER BY sequence"
            ).all()
            before = None
            for row in rows:
                link = Link(*row[:6], previous=before if row[1] > sequence and before else row[6])
                before = link.hash
                connection.exec_driver_sql(
                    "UPDATE journal_row SET previous = ?, hash = ? WHERE sequence = ?",
                    (link.previous, link.hash, link.sequence),
                )


@pytest.fixture
def books(engine: Engine) -> Books:
    books = Books(engine)
    for name in ("p1", "p2", "p3"):
        books.pay(name)
    books.checkpoints.close(Period.HOUR)
    return books


def test_a_sound_journal_is_sound(books: Books) -> None:
    report = books.verify()
    assert report.sound
    assert (report.rows, report.payments, report.chains, report.checkpoints) == (9, 3, 1, 1)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("body", "{}x"),
        ("state", "captured"),
        ("at_ms", 5),
        ("payment", "p9"),
        ("hash", "0"),
        ("previous", "1"),
    ],
)
def test_an_altered_row_is_named(books: Books, column: str, value: object) -> None:
    books.tamper(f"UPDATE journal_row SET {column} = '{value}' WHERE sequence = 5")
    assert any("T1 row 5: was altered" in str(problem) for problem in books.verify().problems)


def test_a_row_cut_from_the_middle_is_named(books: Books) -> None:
    books.tamper("DELETE FROM journal_row WHERE sequence BETWEEN 4 AND 5")
    assert "T1 row 6: rows 4 to 5 are missing" in map(str, books.verify().problems)


def test_rows_cut_off_the_end_are_named_by_the_checkpoint(books: Books) -> None:
    books.tamper("DELETE FROM journal_row WHERE sequence > 7")
    problems = [str(problem) for problem in books.verify().problems]
    assert "T1 row 9: was cut off: a checkpoint signs it, rows end at 7" in problems


def test_a_chain_cut_off_whole_is_named_by_the_checkpoint(books: Books) -> None:
    books.tamper("DELETE FROM journal_row")
    assert any("was cut off" in str(problem) for problem in books.verify().problems)


def test_a_chain_hashed_anew_is_named_by_the_checkpoint(books: Books) -> None:
    books.tamper("UPDATE journal_row SET body = '{\"amount_minor\":1}' WHERE sequence = 4")
    books.rehash_from(4)
    problems = [str(problem) for problem in books.verify().problems]
    assert problems == ["T1 row 9: is not the row its checkpoint was signed over"]


def test_a_forged_checkpoint_is_refused(books: Books) -> None:
    other = Checkpoints(books.engine, chain="T1", signer=MemoryKeyStore(), now_ms=lambda: books.now_ms)
    books.pay("p4")
    other.close(Period.HOUR)
    assert any("not trusted" in str(problem) for problem in books.verify().problems)


def test_an_illegal_step_among_well_hashed_rows_is_named(books: Books) -> None:
    books.tamper("UPDATE journal_row SET state = 'captured' WHERE sequence = 9")
    books.rehash_from(8)
    problems = [str(problem) for problem in books.verify().problems]
    assert "T1 row 9: a payment cannot go from IDENTIFIED to CAPTURED" in problems


def test_a_payment_kept_otherwise_than_its_rows_say_is_named(books: Books) -> None:
    books.tamper("UPDATE journal_payment SET state = 'captured' WHERE payment = 'p2'")
    assert any("p2 is kept as captured, its rows say declined" in str(p) for p in books.verify().problems)


def test_a_payment_removed_from_those_kept_is_named(books: Books) -> None:
    books.tamper("DELETE FROM journal_payment WHERE payment = 'p2'")
    assert any("1 payments of the rows are missing" in str(p) for p in books.verify().problems)


def test_a_checkpoint_is_due_once_an_hour_and_at_the_end_of_the_day(books: Books) -> None:
    assert books.checkpoints.tick() is None
    books.now_ms += HOUR_MS
    books.pay("p4")
    assert books.checkpoints.tick() is Period.HOUR
    assert books.checkpoints.tick() is None
    books.now_ms += 12 * HOUR_MS
    books.pay("p5")
    assert books.checkpoints.tick() is Period.DAY
    assert books.verify().checkpoints == 3


def test_nothing_new_makes_no_checkpoint(books: Books) -> None:
    books.now_ms += HOUR_MS
    assert books.checkpoints.tick() is None


def test_rows_after_the_last_checkpoint_are_counted(books: Books) -> None:
    books.pay("p4")
    assert books.verify().unsigned_rows == 3


def test_an_exported_row_can_be_checked_without_our_code(books: Books) -> None:
    out = io.StringIO()
    assert export_rows(books.engine, SPAN, Format.JSONL, out) == 9
    previous = "0" * 64
    for line in map(json.loads, out.getvalue().splitlines()):
        assert line["previous"] == previous
        fields = ("chain", "sequence", "payment", "state", "at_ms", "body", "previous")
        assert Link(**{name: line[name] for name in fields}).hash == line["hash"]
        previous = line["hash"]


def test_a_spreadsheet_gets_a_header_and_a_line_a_row(books: Books) -> None:
    out = io.StringIO()
    export_rows(books.engine, SPAN, Format.CSV, out)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("chain,sequence,at,payment,state,amount_minor,currency")
    assert len(lines) == 10


def test_checkpoints_are_exported_as_statements(books: Books) -> None:
    out = io.StringIO()
    assert export_checkpoints(books.engine, out) == 1
    assert out.getvalue().count(".") == 2


def test_no_trusted_key_trusts_no_checkpoint(books: Books) -> None:
    assert not verify_journal(books.engine, {KeyId("x"): b"0" * 32}).sound
