"""A cash desk on the REST wire."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from pos_adapter.errors import BadRequest
from pos_adapter.simulator.desks import Action, DeskOptions, Order, Told, require_amount, require_transaction
from pos_adapter.simulator.rest_till import RestAnswer, RestTill
from pos_adapter.types import Money

_WAIT_S = 30


class RestDesk:
    """Pays, acknowledges what was approved, and tells."""

    def __init__(self, till: RestTill) -> None:
        self._till = till

    def act(self, order: Order) -> Told:
        """One action; see `CashDesk`."""
        if order.action is Action.PAY:
            return self._pay(order)
        if order.action is Action.STATUS:
            answer = self._till.show(order.transaction) if order.transaction else self._till.terminal()
            return _told(answer, answer.status == 200)
        if order.action is Action.END_OF_DAY:
            answer = self._till.totals(close=True)
            return Told(answer.status == 200, _figures(answer.document), answer.document)
        return self._undo(order)

    def _pay(self, order: Order) -> Told:
        answer = self._till.pay(require_amount(order), wait_s=0)
        if "id" in answer.document:
            answer = self._await_end(order, answer.document["id"])
        document: Mapping[str, Any] = answer.document
        if document.get("status") == "approved":
            answer = self._till.acknowledge(document["id"])
            return _told(answer, answer.document.get("settlement") == "captured")
        return _told(answer, False)

    def _await_end(self, order: Order, payment: str) -> RestAnswer:
        order.begun(payment, lambda: self._till.cancel(payment))
        deadline = time.monotonic() + order.patience_s
        while True:
            left = max(deadline - time.monotonic(), 0.0)
            answer = self._till.show(payment, wait_s=int(min(left, _WAIT_S)))
            if answer.document.get("status") != "in_progress" or left == 0.0:
                return answer

    def _undo(self, order: Order) -> Told:
        payment = require_transaction(order)
        if order.action is Action.ABORT:
            answer = self._till.cancel(payment)
            # What was captured before is past an abort: it takes a refund.
            too_late = answer.document.get("settlement") in {"captured", "refunded"}
            return _told(answer, answer.status == 202 and not too_late)
        answer = self._till.refund(payment, order.amount if order.action is Action.REFUND else None)
        return _told(answer, answer.document.get("outcome") == "done")


def _figures(document: Mapping[str, Any]) -> str:
    entries = document.get("currencies", [])
    lines = [
        f"{e['payments']} payments {Money(**e['paid'])}, {e['refunds']} refunds {Money(**e['refunded'])}"
        for e in entries
    ]
    return "; ".join(lines) or "no payments since the last close"


def _told(answer: RestAnswer, done: bool) -> Told:
    document = answer.document
    names = ("id", "status", "outcome", "settlement", "message", "title", "detail")
    # A payment's status says what its outcome says; a refund has the outcome alone.
    words = (document.get(name) for name in names if name != "outcome" or "status" not in document)
    return Told(done, " | ".join(str(word) for word in words if word), document)


def open_desk(options: DeskOptions) -> RestDesk:
    """A desk at `options.address` with the till's API key."""
    if not options.address or not options.key:
        raise BadRequest("the REST wire needs --address and the till's API key (--key env:NAME)")
    return RestDesk(RestTill(options.address, options.key))
