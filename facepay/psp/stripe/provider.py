"""Charges a card on file: a payment intent with manual capture, confirmed off-session.

One call creates and confirms the intent under the order's own idempotency key; the intent's id is
remembered at once. When the answer was lost, the same call is made again with the same key, which by
Stripe's rules has no second effect, and then the intent is read as it stands now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import stripe

from facepay.psp.base import (
    Answer,
    Authorisation,
    Booked,
    BookedKind,
    IdempotencyKey,
    Movement,
    Order,
    PspUncertain,
    Reason,
    RefundOrder,
    Stage,
)
from facepay.psp.order_book import OrderBook
from facepay.psp.stripe.cards import is_card
from facepay.psp.stripe.client import ask
from pos_adapter.types import Money

STEP_UP = frozenset({"authentication_required", "payment_intent_authentication_failure"})
HELD = "requires_capture"
DONE = "succeeded"
GONE = "canceled"


@dataclass(frozen=True, slots=True)
class _Intent:
    """What of a payment intent is looked at; `captured` in minor units, None where Stripe does not say."""

    reference: str
    status: str
    captured: int | None


class StripeProvider:
    """`PaymentProvider` and `RefundProvider` over one Stripe account; safe to share between threads."""

    def __init__(self, client: stripe.StripeClient, book: OrderBook) -> None:
        self._api = client.v1
        self._book = book

    def authorise(self, order: Order) -> Authorisation:
        """Hold the amount on the card; a step-up is cancelled and declined."""
        known = self._book.find(order)
        if known is not None:
            return self._stand(order, self._read(known.reference))
        return self._begin(order)

    def find(self, order: Order) -> Authorisation | None:
        """What became of the order; where its answer was lost, it is asked for again with the same key."""
        return self.authorise(order)

    def capture(self, order: Order, amount: Money) -> Movement:
        """Take up to what is held; the rest is released by Stripe."""
        known = self._book.find(order)
        if known is None:
            return Movement(order.key, Answer.DECLINED, amount, reason=Reason.NOT_HELD)
        intent = self._read(known.reference)
        if intent.status == HELD and not 0 < amount.minor <= order.amount.minor:
            return Movement(order.key, Answer.DECLINED, amount, intent.reference, Reason.TOO_MUCH)
        if intent.status == HELD:
            intent = self._act(
                lambda: self._api.payment_intents.capture(
                    intent.reference, {"amount_to_capture": amount.minor}, _once(order, "capture")
                ),
                intent.reference,
            )
        if intent.status != DONE:
            return Movement(order.key, Answer.DECLINED, amount, intent.reference, Reason.NOT_HELD)
        captured = intent.captured
        if captured is None:
            captured = known.amount.minor if known.stage is Stage.CAPTURED else amount.minor
        if captured != amount.minor:
            return _movement(order, amount, intent.reference, Reason.TOO_MUCH)
        self._book.move(order.key, Stage.CAPTURED, amount)
        return _movement(order, amount, intent.reference, None)

    def void(self, order: Order) -> Movement:
        """Cancel the intent. An order never seen is made and cancelled at once, which bars its key."""
        known = self._book.find(order)
        reference = known.reference if known else self._begin(order).reference
        if not reference:
            return _movement(order, order.amount, None, None)
        intent = self._read(reference)
        if intent.status not in {DONE, GONE}:
            cancel = self._api.payment_intents.cancel
            intent = self._act(lambda: cancel(reference, {}, _once(order, "void")), reference)
        if intent.status == GONE:
            return _movement(order, order.amount, reference, None)
        if intent.status == DONE:
            return _movement(order, order.amount, reference, Reason.NOT_HELD)
        return Movement(order.key, Answer.UNKNOWN, order.amount, reference)

    def refund(self, refund: RefundOrder) -> Movement:
        """Pay back to the card, never more in sum than was captured."""
        original = self._book.find(refund.original)
        done = self._book.find(refund)
        if done is not None:
            return Movement(refund.key, Answer.APPROVED, refund.amount, done.reference)
        if original is None or (intent := self._read(original.reference)).status != DONE:
            return Movement(refund.key, Answer.DECLINED, refund.amount, reason=Reason.NOT_HELD)
        captured = original.amount.minor if intent.captured is None else intent.captured
        if self._returned(intent.reference, refund.key) + refund.amount.minor > captured:
            return Movement(refund.key, Answer.DECLINED, refund.amount, reason=Reason.TOO_MUCH)
        return self._refund(refund, intent.reference)

    def booked(self, since: datetime, until: datetime) -> Iterator[Booked]:
        """Captured intents and refunds that carry our keys, as Stripe lists them."""
        first, last = int(since.timestamp()), int(until.timestamp())
        intents = ask(
            lambda: list(
                self._api.payment_intents.list({"created": {"gte": first, "lt": last}}).auto_paging_iter()
            )
        )
        for intent in intents:
            key = _key_of(intent.metadata)
            if key and intent.status == DONE:
                captured = _captured(intent)
                minor = int(intent.amount) if captured is None else captured
                amount = Money(minor, intent.currency.upper())
                yield Booked(IdempotencyKey(key), BookedKind.CAPTURE, amount, intent.id)
        refunds = ask(
            lambda: list(self._api.refunds.list({"created": {"gte": first, "lt": last}}).auto_paging_iter())
        )
        for refund in refunds:
            key = _key_of(refund.metadata)
            if key and refund.status != "failed":
                amount = Money(int(refund.amount), refund.currency.upper())
                yield Booked(IdempotencyKey(key), BookedKind.REFUND, amount, refund.id)

    def _begin(self, order: Order) -> Authorisation:
        if not is_card(order.payer):
            # A shopper who has put no card on file pays at the card terminal.
            return Authorisation(order, Answer.DECLINED, Stage.NONE, reason=Reason.NO_ACCOUNT)
        customer, _, method = order.payer.partition("/")
        try:
            made = ask(
                lambda: self._api.payment_intents.create(
                    {
                        "amount": order.amount.minor,
                        "currency": order.amount.currency.lower(),
                        "customer": customer,
                        "payment_method": method,
                        "capture_method": "manual",
                        "confirm": True,
                        "off_session": True,
                        "metadata": _metadata(order),
                    },
                    {"idempotency_key": order.key},
                )
            )
        except stripe.CardError as error:
            return _declined(order, error)
        except stripe.InvalidRequestError as error:
            # The card or customer is gone from the account: no money can move for this payer.
            reason = Reason.NO_ACCOUNT if error.http_status in {400, 404} else Reason.OTHER
            return Authorisation(order, Answer.DECLINED, Stage.NONE, reason=reason)
        known = self._book.record(order, made.id, Stage.HELD)
        return self._stand(order, self._read(known.reference))

    def _stand(self, order: Order, intent: _Intent) -> Authorisation:
        reference = intent.reference
        if intent.status == HELD:
            return Authorisation(order, Answer.APPROVED, Stage.HELD, reference)
        if intent.status == DONE:
            return Authorisation(order, Answer.APPROVED, Stage.CAPTURED, reference)
        if intent.status == GONE:
            return Authorisation(order, Answer.DECLINED, Stage.VOIDED, reference, Reason.VOIDED)
        if intent.status == "requires_action":
            cancel = self._api.payment_intents.cancel
            self._act(lambda: cancel(reference, {}, _once(order, "void")), reference)
            return Authorisation(order, Answer.DECLINED, Stage.VOIDED, reference, Reason.STEP_UP_REQUIRED)
        if intent.status == "requires_payment_method":
            return Authorisation(order, Answer.DECLINED, Stage.NONE, reference, Reason.CARD_DECLINED)
        return Authorisation(order, Answer.UNKNOWN, Stage.NONE, reference)

    def _refund(self, refund: RefundOrder, intent: str) -> Movement:
        try:
            made = ask(
                lambda: self._api.refunds.create(
                    {
                        "payment_intent": intent,
                        "amount": refund.amount.minor,
                        "metadata": {"facepay_key": refund.key},
                    },
                    {"idempotency_key": refund.key},
                )
            )
        except stripe.InvalidRequestError:
            return Movement(refund.key, Answer.DECLINED, refund.amount, reason=Reason.OTHER)
        if made.status in {"failed", GONE}:
            return Movement(refund.key, Answer.DECLINED, refund.amount, made.id, Reason.OTHER)
        self._book.record(refund, made.id, Stage.CAPTURED)
        return Movement(refund.key, Answer.APPROVED, refund.amount, made.id)

    def _returned(self, intent: str, but: IdempotencyKey) -> int:
        listed = ask(lambda: list(self._api.refunds.list({"payment_intent": intent}).auto_paging_iter()))
        return sum(
            int(refund.amount)
            for refund in listed
            if refund.status != "failed" and _key_of(refund.metadata) != but
        )

    def _act(self, call: Callable[[], object], reference: str) -> _Intent:
        """Make a call that changes an intent, then read it: the state counts, not the answer."""
        try:
            ask(call)
        except (stripe.InvalidRequestError, stripe.CardError):
            # The state did not allow it any more, for example because it was done before.
            return self._read(reference)
        return self._read(reference)

    def _read(self, reference: str) -> _Intent:
        try:
            intent = ask(lambda: self._api.payment_intents.retrieve(reference))
        except stripe.StripeError as error:
            raise PspUncertain(f"Stripe does not know {reference}") from error
        return _Intent(intent.id, str(intent.status), _captured(intent))


def _captured(intent: stripe.PaymentIntent) -> int | None:
    # Emulators leave the field out; then our own note of the capture counts.
    received = getattr(intent, "amount_received", None)
    return None if received is None else int(received)


def _metadata(order: Order) -> dict[str, str]:
    return {
        "facepay_key": order.key,
        "payee": order.payee,
        "terminal": order.terminal,
        "request": order.request,
    }


def _key_of(metadata: Any) -> str | None:
    # Any: the client's metadata is an object of its own that only looks like a mapping.
    return str(metadata["facepay_key"]) if metadata and "facepay_key" in metadata else None


def _once(order: Order, effect: str) -> stripe.RequestOptions:
    return {"idempotency_key": f"{order.key}/{effect}"}


def _declined(order: Order, error: stripe.CardError) -> Authorisation:
    code = error.code or ""
    intent = getattr(error.error, "payment_intent", None) if error.error else None
    reference = getattr(intent, "id", None)
    reason = Reason.STEP_UP_REQUIRED if code in STEP_UP else Reason.CARD_DECLINED
    if getattr(error.error, "decline_code", None) == "insufficient_funds":
        reason = Reason.INSUFFICIENT_FUNDS
    return Authorisation(order, Answer.DECLINED, Stage.NONE, reference, reason)


def _movement(order: Order, amount: Money, reference: str | None, reason: Reason | None) -> Movement:
    answer = Answer.APPROVED if reason is None else Answer.DECLINED
    return Movement(order.key, answer, amount, reference, reason)
