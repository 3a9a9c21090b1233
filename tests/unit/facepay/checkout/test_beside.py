"""What is done while the shopper reads."""

from __future__ import annotations

import threading

import pytest

from facepay.checkout.beside import Beside
from facepay.errors import DatabaseFault


def test_a_sale_goes_on_only_when_the_deed_is_done() -> None:
    may_end, done = threading.Event(), []
    beside = Beside(lambda: (may_end.wait(5), done.append("written")))
    assert not done
    may_end.set()
    beside.join()
    assert done == ["written"]


def test_a_deed_that_fails_stops_the_sale_each_time_it_is_asked_for() -> None:
    def fail() -> None:
        raise DatabaseFault("the disk is full")

    beside = Beside(fail)
    for _ in range(2):
        with pytest.raises(DatabaseFault, match="disk is full"):
            beside.join()
