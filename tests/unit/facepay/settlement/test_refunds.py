"""Refunds and reversals: a role, the original, a second person, and never more than was paid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from facepay.journal import RequestChanged, State
from facepay.settlement import (
    Actor,
    RefundOf,
    RefundRefused,
    Refunds,
    RefundTerms,
    Role,
    SecondPersonNeeded,
)
from facepay.testing.faulty_provider import Mishap
from pos_adapter.types import Money, TransactionId
from tests.unit.facepay.settlement.conftest import Shop

CARLA, SAM, MAX = Actor("carla", Role.CASHIER), Actor("sam", Role.SUPERVISOR), Actor("max", Role.MANAGER)
DAY_MS = 86_400_000


def desk(shop: Shop) -> Refunds:
    numbers = iter(range(1, 100))
    return Refunds(
        shop.journal,
        shop.settlement,
        RefundTerms(),
        now_ms=shop.clock,
        new_id=lambda: f"r{next(numbers)}",
    )


def asked(
    minor: int | None, actor: Actor = SAM, request: str = "refund-request-1", **more: object
) -> RefundOf:
    amount = None if minor is None else Money(minor, "EUR")
    return replace(RefundOf(request, TransactionId("p1"), amount, actor), **more)  # type: ignore[arg-type]


def test_a_refund_pays_back_and_is_journalled_with_who_did_it(shop: Shop) -> None:
    shop.pay("p1", 1240)
    entry = desk(shop).refund(asked(240, CARLA, reason="broken jar"))
    assert (entry.state, shop.taken) == (State.REFUNDED, 1000)
    assert entry.original == "p1"
    assert (entry.facts["actor"], entry.facts["role"]) == ("carla", "cashier")


def test_a_refund_without_an_amount_gives_back_all_that_is_left(shop: Shop) -> None:
    shop.pay("p1", 1240)
    refunds = desk(shop)
    refunds.refund(asked(240, request="refund-request-0"))
    assert refunds.refund(asked(None)).amount == Money(1000, "EUR")
    assert shop.taken == 0
    with pytest.raises(RefundRefused, match="nothing is left"):
        refunds.refund(asked(None, request="refund-request-2"))


def test_partial_refunds_never_exceed_the_payment(shop: Shop) -> None:
    shop.pay("p1", 1240)
    refunds = desk(shop)
    for at in range(3):
        refunds.refund(asked(400, request=f"refund-request-{at}"))
    with pytest.raises(RefundRefused, match="exceed"):
        refunds.refund(asked(41, request="refund-request-9"))
    assert shop.taken == 40


def test_a_refund_asked_again_pays_once(shop: Shop) -> None:
    shop.pay("p1", 1240)
    refunds = desk(shop)
    first = refunds.refund(asked(240))
    assert refunds.refund(asked(240)) == first
    assert shop.taken == 1000


def test_a_refund_asked_again_with_another_amount_is_refused(shop: Shop) -> None:
    shop.pay("p1", 1240)
    refunds = desk(shop)
    refunds.refund(asked(240))
    with pytest.raises(RequestChanged):
        refunds.refund(asked(241))
    assert shop.taken == 1000


@pytest.mark.parametrize(
    ("minor", "actor", "second"),
    [
        (5_001, CARLA, None),
        (5_001, CARLA, CARLA),
        (5_001, CARLA, Actor("cleo", Role.CASHIER)),
        (10_001, SAM, None),
        (10_001, MAX, MAX),
        (10_001, MAX, Actor("max", Role.SUPERVISOR)),
    ],
)
def test_a_large_refund_needs_a_second_person(
    shop: Shop, minor: int, actor: Actor, second: Actor | None
) -> None:
    shop.pay("p1", 20_000)
    with pytest.raises(SecondPersonNeeded):
        desk(shop).refund(asked(minor, actor, second=second))
    assert shop.taken == 20_000


@pytest.mark.parametrize(
    ("minor", "actor", "second"),
    [(5_000, CARLA, None), (5_001, CARLA, SAM), (10_000, SAM, None), (10_001, SAM, MAX), (20_000, MAX, SAM)],
)
def test_people_of_sufficient_role_may_refund(
    shop: Shop, minor: int, actor: Actor, second: Actor | None
) -> None:
    shop.pay("p1", 20_000)
    assert desk(shop).refund(asked(minor, actor, second=second)).state is State.REFUNDED
    assert shop.taken == 20_000 - minor


def test_nobody_without_a_role_may_refund(shop: Shop) -> None:
    shop.pay("p1")
    with pytest.raises(RefundRefused, match="role"):
        desk(shop).refund(asked(1, Actor("eve", Role.NONE)))


def test_a_refund_of_no_payment_an_uncaptured_one_or_a_refund_is_refused(shop: Shop) -> None:
    refunds = desk(shop)
    with pytest.raises(RefundRefused, match="no such payment"):
        refunds.refund(asked(None))
    shop.authorise(shop.identified("p1"))
    with pytest.raises(RefundRefused, match="not captured"):
        refunds.refund(asked(1))


def test_a_payment_too_old_is_not_refunded(shop: Shop) -> None:
    shop.pay("p1")
    shop.now_ms += 91 * DAY_MS
    with pytest.raises(RefundRefused, match="90 days"):
        desk(shop).refund(asked(1))


def test_a_refund_in_another_currency_is_refused(shop: Shop) -> None:
    shop.pay("p1")
    with pytest.raises(RefundRefused, match="currency"):
        desk(shop).refund(asked(None, amount=Money(1, "USD")))


def test_a_refund_nobody_answers_stays_open_and_counts_until_it_is_known(shop: Shop) -> None:
    shop.pay("p1", 1240)
    refunds = desk(shop)
    shop.mishaps = [Mishap.LOST_ANSWER] * 3
    assert refunds.refund(asked(1000)).state is State.REFUNDING
    with pytest.raises(RefundRefused, match="exceed"):
        refunds.refund(asked(1000, request="refund-request-2"))
    assert shop.settlement.finish().refunded == (TransactionId("r1"),)
    assert shop.taken == 240


def test_a_reversal_voids_what_is_held_and_refunds_what_is_captured(shop: Shop) -> None:
    held = shop.identified("p1")
    shop.authorise(held)
    shop.settlement.announce(held)
    assert desk(shop).reverse(asked(None)).state is State.VOIDED
    paid = shop.pay("p2")
    again = asked(None, original=paid, request="refund-request-2")
    assert desk(shop).reverse(again).state is State.REFUNDED
    assert shop.taken == 0
