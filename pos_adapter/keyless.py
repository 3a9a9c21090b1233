"""The course of a sale on wires without a key (Concert, Caisse-AP): one for both, each with its own words.

The till names no transaction, so a request that repeats an approval it did not take is told from a new one
by till, amount and time (`repetition`). A till that does not listen for the end is charged at the approval.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Protocol

from pos_adapter.repetition import RepetitionWatch
from pos_adapter.sale import Sale, SaleListener
from pos_adapter.session import TransactionSession
from pos_adapter.types import Outcome, PaymentRequest, PaymentResponse

_log = logging.getLogger(__name__)


class TillSide(Protocol):
    """What the wire says to its till."""

    def answer_at_once(self) -> None:
        """The till does not wait for the end: tell it that the sale has begun."""

    def await_end(self, sale: Sale) -> PaymentResponse:
        """The sale's end; watches the line meanwhile and cancels when the till is gone."""

    def announce(self, response: PaymentResponse) -> bool:
        """Tell an approval; whether the till has taken it."""

    def conclude(self, response: PaymentResponse) -> None:
        """The face did not pay: hand over to the card terminal, or tell the till."""


def sell(
    session: TransactionSession,
    watch: RepetitionWatch,
    order: PaymentRequest,
    listener: SaleListener,
    till: TillSide,
) -> None:
    """Run one sale from the till's request to the end of its money."""
    kept, doubtful = watch.claim(order.key.till, order.amount)
    if kept is not None and kept.response is not None:
        _announce(watch, kept, kept.response, till)
        return
    if not order.till_listens:
        till.answer_at_once()
    with session.begin(replace(order, possible_duplicate=doubtful), listener) as sale:
        response = till.await_end(sale)
        if response.outcome is not Outcome.APPROVED:
            # A partial approval cannot be told apart from a full one on these wires.
            sale.settle(learned=False)
            till.conclude(response)
        elif not order.till_listens:
            sale.settle(learned=True)
        else:
            _announce(watch, sale, response, till)


def _announce(watch: RepetitionWatch, sale: Sale, response: PaymentResponse, till: TillSide) -> None:
    if till.announce(response):
        sale.settle(learned=True)
        return
    _log.warning("the till did not take the approval of %s", sale.request.key.text)
    watch.remember(sale.request.key.till, sale.request.amount, sale)
