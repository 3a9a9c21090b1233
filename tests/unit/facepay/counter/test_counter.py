"""The counter: views reach every watcher, answers reach the sale they belong to."""

from __future__ import annotations

import threading

import pytest

from facepay.counter import Answer, Counter, Phase, SaleView
from facepay.errors import Cancelled, ChoseCard, FailureToAcquire


def test_a_watcher_gets_the_current_view_and_then_each_newer_one() -> None:
    counter = Counter()
    views = counter.subscribe(0.01)
    assert next(views) == counter.view
    counter.show(SaleView(Phase.OFFERED, sale="a"))
    newer = next(views)
    assert newer is not None
    assert newer.phase is Phase.OFFERED
    assert next(views) is None
    counter.close()
    assert list(views) == []


def test_a_change_that_changes_nothing_is_no_new_view() -> None:
    counter = Counter()
    counter.show(SaleView(Phase.CAPTURING, sale="a"))
    revision = counter.view.revision
    counter.change(hint="")
    assert counter.view.revision == revision
    counter.change(hint="no_face")
    assert counter.view.revision == revision + 1


def test_answers_to_another_sale_do_not_count() -> None:
    counter = Counter()
    assert not counter.tap("a")
    answers = counter.open("a")
    assert not counter.tap("b")
    assert counter.tap("a")
    assert answers.has(Answer.TAP)
    counter.open("b")
    assert not counter.confirm("a")


def test_waiting_ends_with_the_answer() -> None:
    counter = Counter()
    answers = counter.open("a")
    threading.Timer(0.02, lambda: counter.enter_digits("2580")).start()
    assert answers.wait(Answer.DIGITS, 5) == "2580"


def test_waiting_ends_at_the_deadline() -> None:
    with pytest.raises(FailureToAcquire, match="nobody answered tap"):
        Counter().open("a").wait(Answer.TAP, 0.01)


def test_card_and_cancel_end_every_wait() -> None:
    counter = Counter()
    answers = counter.open("a")
    counter.choose_card()
    with pytest.raises(ChoseCard):
        answers.wait(Answer.TAP, 5)
    answers = counter.open("b")
    counter.cancel()
    with pytest.raises(Cancelled):
        answers.wait(Answer.CONFIRM, 5)


def test_an_answer_given_before_the_question_can_be_forgotten() -> None:
    counter = Counter()
    answers = counter.open("a")
    counter.confirm()
    answers.forget(Answer.CONFIRM)
    assert not answers.has(Answer.CONFIRM)


def test_a_light_is_reported_once() -> None:
    counter = Counter()
    answers = counter.open("a")
    assert counter.report_light(3, 100)
    assert counter.report_light(3, 200)
    assert answers.find_light(3) == 100
    assert answers.find_light(4) is None


def test_the_view_as_json_holds_no_object() -> None:
    assert SaleView(Phase.OFFERED, sale="a").as_json()["phase"] == "offered"
