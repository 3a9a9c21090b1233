"""Payers who do not pay for as long as they agreed to are erased; a wrong clock erases nobody."""

from __future__ import annotations

import logging

import pytest

from facepay.erasure.disuse import AT_ONCE, DAY_MS, EVERY_S, Disuse
from facepay.gallery import EnrolledSubject
from facepay.types import SubjectId

TODAY = 1_000 * DAY_MS


class Shop:
    """Payers, when each paid last, and two clocks."""

    def __init__(self, count: int) -> None:
        self.payers = [payer(number) for number in range(count)]
        self.paid = {one.account: TODAY - DAY_MS for one in self.payers}
        self.now_s = 0.0
        self.today = TODAY
        self.disuse = Disuse(
            lambda: tuple(self.payers),
            self.paid.get,
            self.payers.remove,
            days=365,
            now_ms=lambda: self.today,
            clock=lambda: self.now_s,
        )


def payer(number: int, enrolled_ms: int = 0) -> EnrolledSubject:
    return EnrolledSubject(SubjectId(f"s{number}"), f"fp{number}", enrolled_ms, "device", "usb", 1)


def test_a_year_counts_from_the_last_payment_else_from_the_enrolment() -> None:
    shop = Shop(4)
    shop.paid["fp0"] = TODAY - 366 * DAY_MS
    shop.paid["fp1"] = TODAY - 364 * DAY_MS
    del shop.paid["fp2"]
    shop.payers[3] = payer(3, TODAY - 10 * DAY_MS)
    del shop.paid["fp3"]
    assert [one.account for one in shop.disuse.due()] == ["fp0", "fp2"]


def test_whoever_is_due_leaves_at_the_next_look() -> None:
    shop = Shop(30)
    shop.disuse()
    assert len(shop.payers) == 30
    shop.paid["fp7"] = 0
    shop.disuse()
    assert len(shop.payers) == 30
    shop.now_s += EVERY_S
    shop.disuse()
    assert [one.account for one in shop.payers if one.account == "fp7"] == []
    assert len(shop.payers) == 29


def test_a_clock_that_jumped_years_ahead_erases_nobody_and_calls_the_operator(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop = Shop(30)
    shop.today += 3_650 * DAY_MS
    with caplog.at_level(logging.CRITICAL):
        shop.disuse()
    assert len(shop.payers) == 30
    assert "30 of 30 payers" in caplog.text
    assert "facepay erase --unused" in caplog.text


def test_many_leave_over_several_rounds() -> None:
    shop = Shop(1_000)
    for number in range(AT_ONCE + 5):
        shop.paid[f"fp{number}"] = 0
    shop.disuse()
    assert len(shop.payers) == 1_000 - AT_ONCE
    shop.disuse()
    assert len(shop.payers) == 1_000 - AT_ONCE - 5
