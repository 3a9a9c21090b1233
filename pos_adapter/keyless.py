"""The course of a sale on wires without a key (Concert, Caisse-AP): one for both, each with its own words.

The till names no transaction, so a request that repeats an approval it did not take is told from a new one
by till, amount and time (`repetition`), also where an earlier run died while telling that approval. A till
that does not listen for the end is charged at the approval.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
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

    def announce(self, response: PaymentResponse, telling: Callable[[], object]) -> bool:
        """Tell an approval, `telling` called right before; whether the till has taken it."""

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
    if kept is None and not doubtful:
        kept, doubtful = _claim_from_earlier_run(session, watch, order, listener)
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


def _claim_from_earlier_run(
    session: TransactionSession, watch: RepetitionWatch, order: PaymentRequest, listener: SaleListener
) -> tuple[Sale | None, bool]:
    """As `RepetitionWatch.claim`: the same amount again says that the till was cut off inside its answer."""
    record = session.left_telling(order.key.wire, order.key.till)
    if record is None or record.response is None or record.request.amount != order.amount:
        return None, False
    if watch.answers_again:
        return session.begin(record.request, listener), True
    if record.response.transaction is not None:
        session.host.acknowledge(record.response.transaction, False)
    return None, True


def _announce(watch: RepetitionWatch, sale: Sale, response: PaymentResponse, till: TillSide) -> None:
    if till.announce(response, sale.telling):
        sale.settle(learned=True)
        return
    _log.warning("the till did not take the approval of %s", sale.request.key.text)
    watch.remember(sale.request.key.till, sale.request.amount, sale)
