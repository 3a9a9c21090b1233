"""Questions of tills and pages, answered by look-ups and sums."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from facepay.journal import History, Journal, Opening, State, Step
from pos_adapter.types import Money, TransactionId

PATH = (
    State.IDENTIFIED,
    State.AUTHORISING,
    State.AUTHORISED,
    State.ANNOUNCED,
    State.CONFIRMED,
    State.CAPTURED,
)


class Books:
    """A journal whose clock is set by hand, and its history."""

    def __init__(self, engine: Engine) -> None:
        self.ms = 1_000
        self.journal = Journal(engine, chain="T1", now_ms=lambda: self.ms)
        self.history = History(engine, "T1")

    def begin(self, name: str, minor: int = 500, till: str = "till", original: str | None = None) -> None:
        opening = Opening(
            TransactionId(name),
            f"rest/T1/{till}/{name}",
            "f",
            Money(minor, "EUR"),
            {"wire": "rest", "till": till},
            TransactionId(original) if original else None,
        )
        if original:
            self.journal.begin_refund(opening, lambda entry, before: None)
        else:
            self.journal.begin(opening)

    def pay(self, name: str, minor: int = 500, receipt: int = 1, till: str = "till") -> None:
        self.begin(name, minor, till)
        facts = {"account": "anna", "receipt": receipt}
        steps = [Step(state, facts if state is State.IDENTIFIED else {}) for state in PATH]
        self.journal.walk(TransactionId(name), *steps)

    def refund(self, name: str, original: str, minor: int) -> None:
        self.begin(name, minor, original=original)
        self.journal.walk(TransactionId(name), Step(State.REFUNDING), Step(State.REFUNDED))


@pytest.fixture
def books(engine: Engine) -> Books:
    return Books(engine)


def test_the_newest_payment_of_a_till_and_of_a_receipt_number(books: Books) -> None:
    for name, till in (("p1", "left"), ("p2", "right"), ("p3", "left")):
        books.ms += 1
        books.pay(name, till=till, receipt=7)
    latest, receipt = books.history.latest("rest", "right"), books.history.find_receipt(7)
    assert latest is not None
    assert receipt is not None
    assert (latest.payment, receipt.payment) == ("p2", "p3")
    assert books.history.latest("zvt", "right") is None
    assert books.history.find_receipt(8) is None


def test_receipt_numbers_go_on_after_the_newest_that_was_given_out(books: Books) -> None:
    assert books.history.latest_receipt() == 0
    books.pay("p1", receipt=9_999)
    books.ms += 1
    books.pay("p2", receipt=1)
    books.begin("p3")
    assert books.history.latest_receipt() == 1


def test_an_account_reads_its_own_payments_without_refunds(books: Books) -> None:
    books.pay("p1")
    books.begin("p2")
    books.refund("r1", "p1", 100)
    assert [entry.payment for entry in books.history.of_account("anna", 10)] == ["p1"]
    assert books.history.states(10) == {State.CAPTURED: 1, State.NEW: 1}


def test_everything_counts_in_exactly_one_period(books: Books) -> None:
    books.pay("p1", 500)
    books.begin("p2", 700)
    books.ms = 2_000
    books.journal.walk(TransactionId("p2"), *(Step(state) for state in PATH))
    books.refund("r1", "p1", 100)
    (first,) = books.history.moved(0, 2_000)
    (second,) = books.history.moved(2_000, 3_000)
    assert (first.captures, first.captured.minor, first.refunds, first.refunded.minor) == (1, 500, 0, 0)
    assert (second.captures, second.captured.minor, second.refunds, second.refunded.minor) == (1, 700, 1, 100)
    assert books.history.moved(3_000, 4_000) == ()


def test_steps_that_share_a_commit_have_a_row_each_or_none(books: Books, engine: Engine) -> None:
    from facepay.journal import IllegalTransition
    from facepay.journal.export import states_of

    books.begin("p1")
    with pytest.raises(IllegalTransition):
        books.journal.walk(TransactionId("p1"), Step(State.IDENTIFIED), Step(State.CAPTURED))
    assert states_of(engine, "p1") == ("new",)
    books.journal.walk(TransactionId("p1"), Step(State.IDENTIFIED, {"account": "a"}), Step(State.AUTHORISING))
    assert states_of(engine, "p1") == ("new", "identified", "authorising")
