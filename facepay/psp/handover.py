"""Hands the payer's token to the till and charges nothing: the till's own provider takes the money.

An approval here means "this is the token, the shopper has agreed to this amount"; `reference` is the token.
A capture notes that the till has acknowledged it. No money moves through this product, and its list of
bookings says what the till was allowed to charge, for comparison with the till's provider.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from facepay.psp.base import (
    Answer,
    Authorisation,
    Booked,
    Movement,
    Order,
    Reason,
    RefundOrder,
    Stage,
)
from facepay.psp.order_book import OrderBook
from pos_adapter.types import Money

PREFIX = "token:"
"""What a payer's name begins with that is handed to the till."""


class HandoverProvider:
    """`PaymentProvider` and `RefundProvider` that moves no money."""

    def __init__(self, book: OrderBook) -> None:
        self._book = book

    def authorise(self, order: Order) -> Authorisation:
        """Release the payer's token for this order; a payer without one is declined."""
        known = self._book.find(order)
        if known is None and not token_of(order.payer):
            return Authorisation(order, Answer.DECLINED, Stage.NONE, reason=Reason.NO_ACCOUNT)
        known = known or self._book.record(order, token_of(order.payer), Stage.HELD)
        return _as_authorisation(order, known.stage, known.reference)

    def find(self, order: Order) -> Authorisation | None:
        """What became of the order."""
        known = self._book.find(order)
        return None if known is None else _as_authorisation(order, known.stage, known.reference)

    def capture(self, order: Order, amount: Money) -> Movement:
        """Note that the till will charge `amount`, at most what was agreed."""
        known = self._book.find(order)
        if known is None or known.stage is Stage.VOIDED:
            return Movement(order.key, Answer.DECLINED, amount, reason=Reason.NOT_HELD)
        if known.stage is Stage.CAPTURED:
            same = known.amount == amount
            return _movement(order, amount, None if same else Reason.TOO_MUCH)
        if not 0 < amount.minor <= order.amount.minor or amount.currency != order.amount.currency:
            return _movement(order, amount, Reason.TOO_MUCH)
        self._book.move(order.key, Stage.CAPTURED, amount)
        return _movement(order, amount, None)

    def void(self, order: Order) -> Movement:
        """Take the token back, or bar an order never seen."""
        known = self._book.find(order) or self._book.record(order, "", Stage.VOIDED)
        if known.stage is Stage.CAPTURED:
            return _movement(order, order.amount, Reason.NOT_HELD)
        if known.stage is Stage.HELD:
            self._book.move(order.key, Stage.VOIDED, order.amount)
        return _movement(order, order.amount, None)

    def refund(self, refund: RefundOrder) -> Movement:
        """Note that the till pays back; never more in sum than was agreed."""
        if self._book.find(refund) is None:
            original = self._book.find(refund.original)
            if original is None or original.stage is not Stage.CAPTURED:
                return Movement(refund.key, Answer.DECLINED, refund.amount, reason=Reason.NOT_HELD)
            returned = self._book.refunded_minor(refund.original.key)
            if returned + refund.amount.minor > original.amount.minor:
                return Movement(refund.key, Answer.DECLINED, refund.amount, reason=Reason.TOO_MUCH)
            self._book.record(refund, refund.key, Stage.CAPTURED)
        return Movement(refund.key, Answer.APPROVED, refund.amount, refund.key)

    def booked(self, since: datetime, until: datetime) -> Iterator[Booked]:
        """What the till was allowed to charge and pay back."""
        yield from self._book.booked(int(since.timestamp() * 1000), int(until.timestamp() * 1000))


def token_of(payer: str) -> str:
    """The token the till's own provider charges; empty where a payer's name carries none."""
    return payer.removeprefix(PREFIX) if payer.startswith(PREFIX) else ""


def _as_authorisation(order: Order, stage: Stage, reference: str) -> Authorisation:
    if stage is Stage.VOIDED:
        return Authorisation(order, Answer.DECLINED, stage, reference, Reason.VOIDED)
    return Authorisation(order, Answer.APPROVED, stage, reference)


def _movement(order: Order, amount: Money, reason: Reason | None) -> Movement:
    answer = Answer.APPROVED if reason is None else Answer.DECLINED
    return Movement(order.key, answer, amount, order.key, reason)
