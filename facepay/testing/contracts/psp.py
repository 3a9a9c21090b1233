"""The contract of every payment provider: run each check against a fresh bench.

@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_my_provider_keeps_the_contract(check, bench):
    check(bench)
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from facepay.psp.base import (
    Answer,
    Booked,
    BookedKind,
    IdempotencyKey,
    KeyReused,
    Order,
    PayerToken,
    RefundOrder,
    Stage,
)
from facepay.psp.offline import Provider
from pos_adapter.types import Money

AMOUNT = Money(1240, "EUR")


@dataclass(frozen=True, slots=True)
class Bench:
    """A provider and a payer who can pay EUR 100; `stranger` is a payer it declines.

    `unique` keeps the keys of one run apart from those of another at a provider that remembers.
    """

    provider: Provider
    payer: PayerToken
    stranger: PayerToken
    unique: str = field(default="bench")

    def order(self, name: str, *, minor: int = 1240, payer: PayerToken | None = None) -> Order:
        """An order of this bench."""
        key = IdempotencyKey(f"{self.unique}-{name}")
        return Order(key, payer or self.payer, Money(minor, "EUR"), "Corner shop", "T1", f"request-{name}")

    def paid(self, name: str) -> Order:
        """An order that was authorised and captured."""
        order = self.order(name)
        require(self.provider.authorise(order).answer is Answer.APPROVED, "the payer can pay")
        require(self.provider.capture(order, AMOUNT).answer is Answer.APPROVED, "a hold can be captured")
        return order

    def booked(self) -> list[Booked]:
        """Everything of this bench the provider has booked lately."""
        now = datetime.now(UTC)
        lines = self.provider.booked(now - timedelta(days=3650), now + timedelta(days=1))
        return [line for line in lines if line.key.startswith(self.unique)]


def require(holds: bool, what: str) -> None:
    """Fail with the sentence of the contract that does not hold."""
    if not holds:
        raise AssertionError(what)


def an_order_asked_again_has_one_effect(bench: Bench) -> None:
    """The same key and order: the same answer, one hold."""
    order = bench.order("again")
    first = bench.provider.authorise(order)
    require(bench.provider.authorise(order) == first, "the second answer is the first")
    require((first.answer, first.stage) == (Answer.APPROVED, Stage.HELD), "an approval is a hold")
    require(bool(first.reference), "an approval has the provider's reference")


def a_key_with_another_order_is_refused(bench: Bench) -> None:
    """The same key with another amount is `KeyReused`."""
    bench.provider.authorise(bench.order("reused"))
    try:
        bench.provider.authorise(bench.order("reused", minor=1))
    except KeyReused:
        return
    raise AssertionError("a key with another amount has to raise KeyReused")


def a_payer_who_cannot_pay_is_declined(bench: Bench) -> None:
    """A definite no, with a reason and nothing booked."""
    answer = bench.provider.authorise(bench.order("stranger", payer=bench.stranger))
    require(answer.answer is Answer.DECLINED and answer.reason is not None, "a decline has a reason")
    require(not bench.booked(), "a decline books nothing")


def a_hold_books_nothing_and_a_capture_books_once(bench: Bench) -> None:
    """Captured twice, booked once."""
    order = bench.order("capture")
    bench.provider.authorise(order)
    require(not bench.booked(), "a hold is no booking")
    for _ in range(2):
        require(bench.provider.capture(order, AMOUNT).answer is Answer.APPROVED, "capturing again is safe")
    lines = [(line.key, line.kind, line.amount) for line in bench.booked()]
    require(lines == [(order.key, BookedKind.CAPTURE, AMOUNT)], "a capture is booked once, under its key")


def more_than_was_held_is_not_captured(bench: Bench) -> None:
    """A capture above the hold is declined."""
    order = bench.order("too-much")
    bench.provider.authorise(order)
    require(bench.provider.capture(order, Money(1241, "EUR")).answer is Answer.DECLINED, "too much")


def a_void_is_final(bench: Bench) -> None:
    """After a void nothing can be captured, and voiding again is safe."""
    order = bench.order("void")
    bench.provider.authorise(order)
    for _ in range(2):
        require(bench.provider.void(order).answer is Answer.APPROVED, "voiding again is safe")
    require(bench.provider.capture(order, AMOUNT).answer is Answer.DECLINED, "a void cannot be captured")
    found = bench.provider.find(order)
    require(found is not None and found.stage is Stage.VOIDED, "find says that it was voided")
    require(not bench.booked(), "a void books nothing")


def a_void_of_an_order_never_seen_bars_its_key(bench: Bench) -> None:
    """The order that arrives late is declined."""
    order = bench.order("barred")
    require(bench.provider.void(order).answer is Answer.APPROVED, "an order never seen can be voided")
    require(bench.provider.authorise(order).answer is Answer.DECLINED, "a barred key authorises nothing")
    require(not bench.booked(), "a barred key books nothing")


def what_was_captured_is_not_voided(bench: Bench) -> None:
    """A void after the capture is declined and changes nothing."""
    order = bench.paid("captured")
    require(bench.provider.void(order).answer is Answer.DECLINED, "a capture cannot be voided")
    require(len(bench.booked()) == 1, "the capture stands")


def refunds_never_exceed_the_capture(bench: Bench) -> None:
    """Partial refunds up to the capture, each once."""
    order = bench.paid("refunds")

    def refund(name: str, minor: int) -> Answer:
        key = IdempotencyKey(f"{bench.unique}-refund-{name}")
        return bench.provider.refund(RefundOrder(key, order, Money(minor, "EUR"))).answer

    require(refund("a", 1000) is Answer.APPROVED, "a part can be refunded")
    require(refund("a", 1000) is Answer.APPROVED, "a refund asked again answers the same")
    require(refund("b", 241) is Answer.DECLINED, "more than is left is declined")
    require(refund("c", 240) is Answer.APPROVED, "the rest can be refunded")
    back = sum(line.amount.minor for line in bench.booked() if line.kind is BookedKind.REFUND)
    require(back == 1240, "what was refunded is booked once")


def what_was_only_held_is_not_refunded(bench: Bench) -> None:
    """A refund needs a capture."""
    order = bench.order("held-only")
    bench.provider.authorise(order)
    refund = RefundOrder(IdempotencyKey(f"{bench.unique}-refund-held"), order, Money(1, "EUR"))
    require(bench.provider.refund(refund).answer is Answer.DECLINED, "a hold cannot be refunded")


def two_at_once_have_one_effect(bench: Bench) -> None:
    """The same order and capture from several threads: one booking."""
    order = bench.order("threads")
    failures: list[BaseException] = []

    def work() -> None:
        try:
            bench.provider.authorise(order)
            bench.provider.capture(order, AMOUNT)
        except BaseException as error:  # carried to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    require(not failures, f"no thread fails: {failures}")
    require([line.amount for line in bench.booked()] == [AMOUNT], "four at once book once")


CHECKS: tuple[Callable[[Bench], None], ...] = (
    an_order_asked_again_has_one_effect,
    a_key_with_another_order_is_refused,
    a_payer_who_cannot_pay_is_declined,
    a_hold_books_nothing_and_a_capture_books_once,
    more_than_was_held_is_not_captured,
    a_void_is_final,
    a_void_of_an_order_never_seen_bars_its_key,
    what_was_captured_is_not_voided,
    refunds_never_exceed_the_capture,
    what_was_only_held_is_not_refunded,
    two_at_once_have_one_effect,
)
"""The whole contract."""
