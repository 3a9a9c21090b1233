"""The provider's order of a payment, made once and rebuilt from the journal after a power cut."""

from __future__ import annotations

import hashlib

from facepay.journal import Entry, Facts, JournalError
from facepay.psp.base import IdempotencyKey, Order, PayerToken, RefundOrder
from pos_adapter.types import Money


def make_order(entry: Entry, payer: PayerToken, amount: Money, *, payee: str, terminal: str) -> Order:
    """The order whose key is bound to payment, amount, currency, payee, terminal and till request."""
    bound = (entry.payment, str(amount.minor), amount.currency, payee, terminal, entry.request, payer)
    digest = hashlib.sha256("\x1f".join(bound).encode()).hexdigest()
    key = IdempotencyKey(f"fp-{entry.payment}-{digest[:16]}")
    return Order(key, payer, amount, payee, terminal, entry.request)


def order_facts(order: Order) -> Facts:
    """What the journal has to know of an order, to ask for it again."""
    return {
        "key": order.key,
        "payer": order.payer,
        "order_minor": order.amount.minor,
        "payee": order.payee,
        "terminal": order.terminal,
    }


def order_of(entry: Entry) -> Order:
    """The order of a payment that has reached AUTHORISING.

    Raises:
        JournalError: The payment never was authorised, or its row lacks what an order needs.
    """
    facts = entry.facts
    try:
        return Order(
            key=IdempotencyKey(str(facts["key"])),
            payer=PayerToken(str(facts["payer"])),
            amount=Money(int(facts["order_minor"] or 0), entry.amount.currency),
            payee=str(facts["payee"]),
            terminal=str(facts["terminal"]),
            request=entry.request,
        )
    except KeyError as error:
        raise JournalError(f"payment {entry.payment} has no order: {error} is missing") from error


def refund_order(refund: Entry, original: Entry) -> RefundOrder:
    """The provider's refund of a refund entry; its key is the refund's own id."""
    return RefundOrder(IdempotencyKey(f"fp-refund-{refund.payment}"), order_of(original), refund.amount)
