from __future__ import annotations

import logging
import threading

import pytest

from pos_adapter.deadlines import Deadlines


def test_it_happens_unless_somebody_acts() -> None:
    deadlines, happened, never = Deadlines(), threading.Event(), threading.Event()
    later = deadlines.after(3600, never.set, "never")
    deadlines.after(0, happened.set, "now")
    assert happened.wait(30)
    later.cancel()
    later.cancel()
    assert not never.is_set()
    deadlines.close()


def test_closing_waits_for_what_happens_and_calls_off_the_rest() -> None:
    deadlines, begun, go_on, done = (Deadlines(), *(threading.Event() for _ in range(3)))

    def slow() -> None:
        begun.set()
        assert go_on.wait(30)
        done.set()

    never = threading.Event()
    deadlines.after(0, slow, "slow")
    deadlines.after(3600, never.set, "never")
    assert begun.wait(30)
    threading.Timer(0.05, go_on.set).start()
    deadlines.close(patience_s=30)
    assert done.is_set()
    deadlines.after(0, never.set, "too late").cancel()
    assert not never.is_set()


def test_what_goes_wrong_is_logged_by_name(caplog: pytest.LogCaptureFixture) -> None:
    deadlines, begun = Deadlines(), threading.Event()

    def fail() -> None:
        begun.set()
        raise OSError("no database")

    with caplog.at_level(logging.ERROR, "pos_adapter.deadlines"):
        deadlines.after(0, fail, "voiding rest/T1/till/42")
        assert begun.wait(30)
        deadlines.close(patience_s=30)
    assert [record.message for record in caplog.records] == ["voiding rest/T1/till/42 failed"]


def test_a_deadline_may_close_them_all() -> None:
    deadlines, closed = Deadlines(), threading.Event()

    def close() -> None:
        deadlines.close()
        closed.set()

    deadlines.after(0, close, "close")
    assert closed.wait(30)


def test_one_that_is_due_earlier_does_not_wait_for_those_before_it() -> None:
    deadlines, late, early = Deadlines(), threading.Event(), threading.Event()
    deadlines.after(3600, late.set, "late")
    deadlines.after(0.01, early.set, "early")
    assert early.wait(30)
    assert not late.is_set()
    deadlines.close()


def test_waiting_takes_one_thread_however_many_wait() -> None:
    deadlines = Deadlines()
    before = threading.active_count()
    for _ in range(50):
        deadlines.after(3600, lambda: None, "never")
    assert threading.active_count() <= before + 1
    deadlines.close()
