"""Store and forward: small payments while the provider is away, each handed on once."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from facepay.psp.base import (
    Answer,
    IdempotencyKey,
    KeyReused,
    Order,
    PayerToken,
    PspUnreachable,
    Reason,
    RefundOrder,
)
from facepay.psp.ledger import LedgerProvider, Wallet
from facepay.psp.offline import FloorLimits, OfflineProvider, OfflineStage
from facepay.testing.faulty_provider import FaultyProvider, Mishap
from pos_adapter.types import Money

NOON = 1_763_812_800_000
ANNA = PayerToken("wallet-anna")


class Line:
    """A provider behind a network that can be cut."""

    def __init__(self, engine: Engine) -> None:
        self.mishap = Mishap.NONE
        self.wallet = Wallet(engine, now_ms=lambda: NOON)
        self.wallet.open_account(ANNA, "EUR")
        self.wallet.top_up(ANNA, Money(10_000, "EUR"), IdempotencyKey("top-up-1"))
        inner = FaultyProvider(LedgerProvider(engine, now_ms=lambda: NOON), lambda _: self.mishap)
        limits = FloorLimits(payment_minor=2_500, account_minor=5_000)
        self.provider = OfflineProvider(inner, engine, limits, now_ms=lambda: NOON)

    def cut(self) -> None:
        """Cut the line; the payment that finds out is declined."""
        self.mishap = Mishap.UNREACHABLE
        with pytest.raises(PspUnreachable):
            self.provider.authorise(order("discovery"))

    @property
    def taken(self) -> int:
        return 10_000 - self.wallet.balance(ANNA).minor


@pytest.fixture
def line(engine: Engine) -> Line:
    return Line(engine)


def order(name: str, minor: int = 1_000) -> Order:
    return Order(IdempotencyKey(f"offline-test-{name}"), ANNA, Money(minor, "EUR"), "shop", "T1", name)


def pay(line: Line, name: str, minor: int = 1_000) -> Answer:
    answer = line.provider.authorise(order(name, minor)).answer
    if answer is Answer.APPROVED:
        line.provider.capture(order(name, minor), Money(minor, "EUR"))
    return answer


def test_while_the_line_is_up_everything_goes_through(line: Line) -> None:
    assert pay(line, "1") is Answer.APPROVED
    assert line.taken == 1_000
    assert line.provider.report().lines == ()


def test_the_payment_that_discovers_the_outage_goes_to_card(line: Line) -> None:
    line.cut()
    assert not line.provider.reachable
    assert line.provider.report().lines == ()


def test_small_payments_are_taken_and_forwarded_once(line: Line) -> None:
    line.cut()
    assert pay(line, "1") is Answer.APPROVED
    assert line.provider.authorise(order("1")).answer is Answer.APPROVED
    assert line.taken == 0
    assert line.provider.forward() == 1
    line.mishap = Mishap.NONE
    assert line.provider.forward() == 0
    assert line.provider.forward() == 0
    assert line.taken == 1_000
    assert line.provider.report().total(OfflineStage.FORWARDED, "EUR") == 1_000


def test_a_forward_whose_answer_is_lost_is_repeated_without_a_second_charge(line: Line) -> None:
    line.cut()
    pay(line, "1")
    line.mishap = Mishap.LOST_ANSWER
    assert line.provider.forward() == 1
    assert line.provider.waiting_keys() == {order("1").key}
    line.mishap = Mishap.NONE
    assert line.provider.forward() == 0
    assert line.taken == 1_000


def test_above_the_floor_limits_it_is_declined_to_card(line: Line) -> None:
    line.cut()
    assert line.provider.authorise(order("big", 2_501)).reason is Reason.OFFLINE_LIMIT
    assert [pay(line, name, 2_500) for name in "12"] == [Answer.APPROVED] * 2
    assert line.provider.authorise(order("3", 1)).reason is Reason.OFFLINE_LIMIT


def test_what_is_voided_offline_is_never_forwarded(line: Line) -> None:
    line.cut()
    line.provider.authorise(order("1"))
    assert line.provider.void(order("1")).answer is Answer.APPROVED
    assert line.provider.capture(order("1"), Money(1_000, "EUR")).answer is Answer.DECLINED
    line.mishap = Mishap.NONE
    line.provider.forward()
    assert line.taken == 0


def test_a_forward_the_provider_declines_is_reported_as_lost(line: Line) -> None:
    line.cut()
    pay(line, "1")
    line.wallet.close_account(ANNA)
    line.mishap = Mishap.NONE
    assert line.provider.forward() == 0
    assert line.provider.report().total(OfflineStage.REFUSED, "EUR") == 1_000
    assert line.taken == 0


def test_a_refund_waits_until_its_payment_is_forwarded(line: Line) -> None:
    line.cut()
    pay(line, "1")
    refund = RefundOrder(IdempotencyKey("refund-of-1"), order("1"), Money(400, "EUR"))
    with pytest.raises(PspUnreachable):
        line.provider.refund(refund)
    line.mishap = Mishap.NONE
    line.provider.forward()
    assert line.provider.refund(refund).answer is Answer.APPROVED
    assert line.taken == 600


def test_an_offline_key_with_another_amount_is_refused(line: Line) -> None:
    line.cut()
    pay(line, "1")
    with pytest.raises(KeyReused):
        line.provider.authorise(order("1", 999))


def test_an_order_held_before_the_outage_is_not_taken_here(line: Line) -> None:
    line.provider.authorise(order("1"))
    line.cut()
    with pytest.raises(PspUnreachable):
        line.provider.capture(order("1"), Money(1_000, "EUR"))
