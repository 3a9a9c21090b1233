"""Writing the journal: before the effect, once per request, in one chain."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from facepay.db.engine import open_engine
from facepay.db.models.journal import JournalRow
from facepay.journal import (
    IllegalTransition,
    Journal,
    JournalUnavailable,
    Opening,
    RequestChanged,
    State,
    Step,
    UnknownPayment,
)
from facepay.journal.rows import GENESIS, Link
from pos_adapter.types import Money, TransactionId


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.ms = 1_763_812_800_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(engine: Engine, clock: Clock) -> Journal:
    return Journal(engine, chain="T1", now_ms=clock)


def opening(name: str = "p1", minor: int = 1240, request: str = "rest/T1/till/1") -> Opening:
    return Opening(TransactionId(name), request, f"f{minor}", Money(minor, "EUR"), {"payee": "Corner shop"})


def rows(engine: Engine) -> list[Link]:
    with engine.connect() as connection:
        found = connection.execute(select(JournalRow.__table__).order_by(JournalRow.sequence)).all()
    return [Link(r.chain, r.sequence, r.payment, r.state, r.at_ms, r.body, r.previous) for r in found]


def test_rows_are_chained_by_their_hashes(journal: Journal, engine: Engine) -> None:
    journal.begin(opening())
    journal.advance(TransactionId("p1"), State.IDENTIFIED, facts={"account": "a1"})
    first, second = rows(engine)
    assert (first.sequence, first.previous, second.previous) == (1, GENESIS, first.hash)


def test_a_repeated_request_finds_its_payment(journal: Journal) -> None:
    assert not journal.begin(opening("p1")).repeated
    again = journal.begin(opening("p2"))
    assert again.repeated
    assert again.entry.payment == "p1"


def test_a_repeated_request_with_another_amount_is_refused(journal: Journal, engine: Engine) -> None:
    journal.begin(opening("p1", 1240))
    with pytest.raises(RequestChanged, match="rest/T1/till/1"):
        journal.begin(opening("p2", 1241))
    assert len(rows(engine)) == 1


def test_an_illegal_step_writes_nothing(journal: Journal, engine: Engine) -> None:
    journal.begin(opening())
    with pytest.raises(IllegalTransition):
        journal.walk(TransactionId("p1"), Step(State.IDENTIFIED), Step(State.CAPTURED))
    assert [row.state for row in rows(engine)] == ["new"]
    journal.advance(TransactionId("p1"), State.IDENTIFIED)
    assert [row.sequence for row in rows(engine)] == [1, 2]


def test_an_unknown_payment_is_a_fault(journal: Journal) -> None:
    with pytest.raises(UnknownPayment, match="p9"):
        journal.advance(TransactionId("p9"), State.IDENTIFIED)


def test_facts_add_up_over_the_steps(journal: Journal) -> None:
    journal.begin(opening())
    entry = journal.advance(TransactionId("p1"), State.IDENTIFIED, facts={"account": "a1", "level": 2})
    assert entry == journal.find(TransactionId("p1"))
    assert entry.account == "a1"
    assert entry.facts == {"payee": "Corner shop", "account": "a1", "level": 2}


def test_open_entries_are_those_that_wait_to_be_settled(journal: Journal) -> None:
    for name in ("p1", "p2"):
        journal.begin(opening(name, request=f"request-{name}"))
    journal.advance(TransactionId("p1"), State.DECLINED)
    assert [entry.payment for entry in journal.open_entries()] == ["p2"]


def test_a_clock_set_back_never_turns_the_chain_back(journal: Journal, clock: Clock, engine: Engine) -> None:
    journal.begin(opening())
    clock.ms -= 86_400_000
    journal.advance(TransactionId("p1"), State.IDENTIFIED)
    first, second = rows(engine)
    assert second.at_ms == first.at_ms
    assert '"clock_behind_ms":86400000' in second.body


@pytest.mark.parametrize("statement", ["UPDATE journal_row SET body = 'x'", "DELETE FROM journal_row"])
def test_the_database_itself_refuses_to_change_a_row(
    journal: Journal, engine: Engine, statement: str
) -> None:
    journal.begin(opening())
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert len(rows(engine)) == 1


def test_a_locked_database_writes_nothing_and_says_so(journal: Journal, engine: Engine) -> None:
    with engine.connect() as other, other.begin(), pytest.raises(JournalUnavailable, match="locked"):
        journal.begin(opening())
    assert not journal.begin(opening()).repeated


def test_a_full_disk_writes_nothing_and_says_so(journal: Journal, engine: Engine) -> None:
    journal.begin(opening())
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    # The limit belongs to a connection; the pool hands the same one out again.
    with engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalUnavailable, match="full"):
        journal.advance(TransactionId("p1"), State.IDENTIFIED, facts={"note": "x" * 100_000})
    entry = journal.find(TransactionId("p1"))
    assert entry is not None
    assert entry.state is State.NEW


def test_two_writers_of_one_chain_make_one_chain(tmp_path: Path, engine: Engine, clock: Clock) -> None:
    other_engine = open_engine(str(engine.url))
    journals = [Journal(e, chain="T1", now_ms=clock) for e in (engine, other_engine)]

    def write(at: int) -> None:
        for n in range(10):
            journals[at].begin(opening(f"p{at}-{n}", request=f"request-{at}-{n}"))

    threads = [threading.Thread(target=write, args=(at,)) for at in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other_engine.dispose()
    links = rows(engine)
    assert [link.sequence for link in links] == list(range(1, 21))
    assert all(b.previous == a.hash for a, b in itertools.pairwise(links))
