"""The prepaid wallet: balanced, idempotent, never below zero."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from facepay.psp.base import (
    Answer,
    BadOrder,
    IdempotencyKey,
    KeyReused,
    Order,
    PayerToken,
    PspUnreachable,
    Reason,
    RefundOrder,
    Stage,
)
from facepay.psp.ledger import LedgerProvider, Leg, Posting, Shortfall, UnbalancedPosting, Wallet
from pos_adapter.types import Money

ANNA = PayerToken("wallet-anna")
SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
NOON = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp() * 1000)


def key(text: str) -> IdempotencyKey:
    return IdempotencyKey(f"test-key-{text}")


def order(minor: int = 1240, name: str = "1", currency: str = "EUR", payee: str = "Corner shop") -> Order:
    return Order(key(name), ANNA, Money(minor, currency), payee, "T1", "till-1/42")


@pytest.fixture
def wallet(engine: Engine) -> Wallet:
    wallet = Wallet(engine, now_ms=lambda: NOON)
    wallet.open_account(ANNA, "EUR")
    wallet.top_up(ANNA, Money(5000, "EUR"), key("top-up"))
    return wallet


@pytest.fixture
def provider(engine: Engine, wallet: Wallet) -> LedgerProvider:
    return LedgerProvider(engine, now_ms=lambda: NOON)


def test_a_hold_takes_the_money_off_the_balance_and_a_capture_moves_it_on(
    provider: LedgerProvider, wallet: Wallet
) -> None:
    assert provider.authorise(order()).answer is Answer.APPROVED
    assert wallet.balance(ANNA) == Money(3760, "EUR")
    assert provider.capture(order(), Money(1240, "EUR")).answer is Answer.APPROVED
    assert [line.minor for line in wallet.statement("payee:Corner shop:EUR")] == [1240]
    wallet.require_books_balance()


def test_an_order_asked_again_has_one_effect(provider: LedgerProvider, wallet: Wallet) -> None:
    first = provider.authorise(order())
    assert provider.authorise(order()) == first
    assert wallet.balance(ANNA) == Money(3760, "EUR")


def test_a_key_with_another_amount_is_refused(provider: LedgerProvider, wallet: Wallet) -> None:
    provider.authorise(order(1240))
    with pytest.raises(KeyReused):
        provider.authorise(order(9))
    assert wallet.balance(ANNA) == Money(3760, "EUR")


def test_what_the_account_does_not_hold_is_declined_for_good(
    provider: LedgerProvider, wallet: Wallet
) -> None:
    answer = provider.authorise(order(5001))
    assert (answer.answer, answer.reason) == (Answer.DECLINED, Reason.INSUFFICIENT_FUNDS)
    wallet.top_up(ANNA, Money(5000, "EUR"), key("more"))
    assert provider.authorise(order(5001)).answer is Answer.DECLINED
    assert wallet.balance(ANNA) == Money(10_000, "EUR")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (order(currency="USD"), Reason.WRONG_CURRENCY),
        (Order(key("x"), PayerToken("nobody"), Money(1, "EUR"), "p", "T1", "r"), Reason.NO_ACCOUNT),
        (Order(key("x"), PayerToken("outside:EUR"), Money(1, "EUR"), "p", "T1", "r"), Reason.NO_ACCOUNT),
    ],
)
def test_an_impossible_payer_is_declined_with_its_reason(
    provider: LedgerProvider, wrong: Order, reason: Reason
) -> None:
    assert provider.authorise(wrong).reason is reason


def test_a_closed_account_pays_no_more(provider: LedgerProvider, wallet: Wallet) -> None:
    wallet.close_account(ANNA)
    assert provider.authorise(order()).reason is Reason.NO_ACCOUNT


def test_a_void_gives_the_hold_back_once(provider: LedgerProvider, wallet: Wallet) -> None:
    provider.authorise(order())
    for _ in range(2):
        assert provider.void(order()).answer is Answer.APPROVED
    assert wallet.balance(ANNA) == Money(5000, "EUR")
    assert provider.capture(order(), Money(1240, "EUR")).answer is Answer.DECLINED


def test_a_void_before_the_order_bars_its_key(provider: LedgerProvider, wallet: Wallet) -> None:
    assert provider.find(order()) is None
    assert provider.void(order()).answer is Answer.APPROVED
    late = provider.authorise(order())
    assert (late.answer, late.stage) == (Answer.DECLINED, Stage.VOIDED)
    assert wallet.balance(ANNA) == Money(5000, "EUR")


def test_a_capture_of_less_releases_the_rest(provider: LedgerProvider, wallet: Wallet) -> None:
    provider.authorise(order(1000))
    assert provider.capture(order(1000), Money(400, "EUR")).answer is Answer.APPROVED
    assert wallet.balance(ANNA) == Money(4600, "EUR")
    assert provider.capture(order(1000), Money(500, "EUR")).answer is Answer.DECLINED
    assert provider.void(order(1000)).answer is Answer.DECLINED


def test_a_capture_of_more_than_was_held_is_declined(provider: LedgerProvider) -> None:
    provider.authorise(order(1000))
    assert provider.capture(order(1000), Money(1001, "EUR")).reason is Reason.TOO_MUCH


def test_refunds_never_exceed_what_was_captured(provider: LedgerProvider, wallet: Wallet) -> None:
    provider.authorise(order(1000))
    provider.capture(order(1000), Money(1000, "EUR"))
    first = RefundOrder(key("r1"), order(1000), Money(600, "EUR"))
    assert provider.refund(first) == provider.refund(first)
    assert provider.refund(first).answer is Answer.APPROVED
    too_much = provider.refund(RefundOrder(key("r2"), order(1000), Money(401, "EUR")))
    assert (too_much.answer, too_much.reason) == (Answer.DECLINED, Reason.TOO_MUCH)
    assert provider.refund(RefundOrder(key("r3"), order(1000), Money(400, "EUR"))).answer is Answer.APPROVED
    assert wallet.balance(ANNA) == Money(5000, "EUR")
    wallet.require_books_balance()


def test_a_refund_key_with_another_amount_is_refused(provider: LedgerProvider) -> None:
    provider.authorise(order(1000))
    provider.capture(order(1000), Money(1000, "EUR"))
    provider.refund(RefundOrder(key("r1"), order(1000), Money(600, "EUR")))
    with pytest.raises(KeyReused):
        provider.refund(RefundOrder(key("r1"), order(1000), Money(1, "EUR")))


def test_a_refund_of_what_was_only_held_is_declined(provider: LedgerProvider) -> None:
    provider.authorise(order())
    assert provider.refund(RefundOrder(key("r1"), order(), Money(1, "EUR"))).reason is Reason.NOT_HELD


def test_the_ledger_lists_what_it_booked(provider: LedgerProvider) -> None:
    provider.authorise(order())
    provider.capture(order(), Money(1240, "EUR"))
    provider.refund(RefundOrder(key("r1"), order(), Money(40, "EUR")))
    booked = list(provider.booked(SINCE, UNTIL))
    assert [(b.key, b.kind.value, b.amount.minor) for b in booked] == [
        (order().key, "capture", 1240),
        (key("r1"), "refund", 40),
    ]


def test_a_top_up_happens_once_per_key(wallet: Wallet) -> None:
    wallet.top_up(ANNA, Money(5000, "EUR"), key("top-up"))
    assert wallet.balance(ANNA) == Money(5000, "EUR")
    with pytest.raises(KeyReused):
        wallet.top_up(ANNA, Money(5001, "EUR"), key("top-up"))


def test_a_pay_out_beyond_the_balance_is_refused(wallet: Wallet) -> None:
    with pytest.raises(Shortfall):
        wallet.pay_out(ANNA, Money(5001, "EUR"), key("out"))
    wallet.pay_out(ANNA, Money(5000, "EUR"), key("out-2"))
    assert [line.balance_minor for line in wallet.statement(ANNA)] == [5000, 0]
    wallet.require_books_balance()


@pytest.mark.parametrize(
    "legs", [(), (Leg("a", 1),), (Leg("a", 1), Leg("b", -2)), (Leg("a", 0), Leg("b", 0))]
)
def test_a_posting_that_does_not_balance_is_refused(legs: tuple[Leg, ...]) -> None:
    with pytest.raises(UnbalancedPosting):
        Posting("key", "hold", "f", "t", "EUR", legs)


@pytest.mark.parametrize("minor", [0, -1])
def test_an_order_must_be_above_zero(minor: int) -> None:
    with pytest.raises(BadOrder, match="above 0"):
        order(minor)


@pytest.mark.parametrize("text", ["short", "with space in it", "k" * 181, "schlüssel-schlüssel"])
def test_a_key_that_could_change_on_its_way_is_refused(text: str) -> None:
    with pytest.raises(BadOrder, match="idempotency key"):
        Order(IdempotencyKey(text), ANNA, Money(1, "EUR"), "p", "T1", "r")


def test_a_locked_database_is_unreachable_and_nothing_was_held(
    provider: LedgerProvider, wallet: Wallet, engine: Engine
) -> None:
    with engine.connect() as other, other.begin(), pytest.raises(PspUnreachable, match="locked"):
        provider.authorise(order())
    assert provider.find(order()) is None
    assert wallet.balance(ANNA) == Money(5000, "EUR")
