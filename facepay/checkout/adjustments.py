"""Reversals, refunds and totals: the till's side of the refund desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from facepay.errors import Declined
from facepay.journal import Entry, History, Journal, Moved, State
from facepay.psp.base import PspUnreachable
from facepay.settlement import Actor, RefundRefused, Refunds, Role
from facepay.settlement.refunds import RefundOf
from pos_adapter.types import (
    AdjustmentOutcome,
    AdjustmentResponse,
    CurrencyTotals,
    ExchangeKey,
    Money,
    RefundRequest,
    ReversalRequest,
    Totals,
    TransactionId,
)

DONE = frozenset({State.VOIDED, State.VOIDING, State.REFUNDED})


@dataclass(frozen=True, slots=True)
class Period:
    """Reads and starts the period that totals are about; Unix milliseconds."""

    since_ms: Callable[[], int]
    close: Callable[[int], None]


class Adjustments:
    """Undoes payments for tills, which act with the role of a cashier."""

    def __init__(
        self,
        journal: Journal,
        refunds: Refunds,
        history: History,
        period: Period,
        now_ms: Callable[[], int],
    ) -> None:
        self._journal = journal
        self._refunds = refunds
        self._history = history
        self._period = period
        self._now_ms = now_ms

    def reverse(self, request: ReversalRequest) -> AdjustmentResponse:
        """Undo a whole payment."""
        original = self._original(request.transaction, request.receipt_number)
        if original is None:
            return self._response(AdjustmentOutcome.NOT_FOUND)
        if original.state in {State.VOIDED, State.VOIDING}:
            return self._response(AdjustmentOutcome.ALREADY_REVERSED, original=original)
        asked = self._asked(request.key, original, None, request.reason)
        return self._answer(lambda: self._refunds.reverse(asked), original)

    def refund(self, request: RefundRequest) -> AdjustmentResponse:
        """Give some or all of a payment back; a refund without a payment is not possible here."""
        if request.transaction is None and request.receipt_number is None:
            return self._response(AdjustmentOutcome.NOT_POSSIBLE)
        original = self._original(request.transaction, request.receipt_number)
        if original is None:
            return self._response(AdjustmentOutcome.NOT_FOUND)
        asked = self._asked(request.key, original, request.amount, request.reason)
        return self._answer(lambda: self._refunds.refund(asked), original)

    def totals(self, close: bool) -> Totals:
        """Figures since the last close; `close` starts a new period."""
        since_ms = self._period.since_ms()
        # A clock that was set back must not open a period before the last one ended.
        until_ms = max(self._now_ms(), since_ms)
        moved = self._history.moved(since_ms, until_ms)
        if close:
            self._period.close(until_ms)
        return Totals(_time(since_ms), _time(until_ms), tuple(_totals_of(one) for one in moved))

    def _original(self, transaction: TransactionId | None, receipt: int | None) -> Entry | None:
        if transaction is not None:
            return self._journal.find(transaction)
        return self._history.find_receipt(receipt) if receipt is not None else None

    def _asked(self, key: ExchangeKey, original: Entry, amount: Money | None, reason: str) -> RefundOf:
        actor = Actor(f"{key.wire}/{key.till}", Role.CASHIER)
        return RefundOf(key.text, original.payment, amount, actor, reason=reason)

    def _answer(self, act: Callable[[], Entry], original: Entry) -> AdjustmentResponse:
        try:
            done = act()
        except RefundRefused as error:
            already = "nothing is left" in str(error)
            outcome = AdjustmentOutcome.ALREADY_REVERSED if already else AdjustmentOutcome.NOT_POSSIBLE
            return self._response(outcome, original=original, message=str(error))
        except Declined as error:
            return self._response(AdjustmentOutcome.NOT_POSSIBLE, original=original, message=str(error))
        except PspUnreachable:
            return self._response(AdjustmentOutcome.PROVIDER_UNREACHABLE, original=original)
        if done.state in DONE:
            return self._response(AdjustmentOutcome.DONE, original=original, done=done)
        unknown = done.state is State.REFUNDING
        outcome = AdjustmentOutcome.PROVIDER_UNKNOWN if unknown else AdjustmentOutcome.NOT_POSSIBLE
        return self._response(outcome, original=original, done=done)

    def _response(
        self,
        outcome: AdjustmentOutcome,
        *,
        original: Entry | None = None,
        done: Entry | None = None,
        message: str = "",
    ) -> AdjustmentResponse:
        return AdjustmentResponse(
            outcome,
            _time(self._now_ms()),
            transaction=done.payment if done else None,
            original=original.payment if original else None,
            amount=done.amount if done and outcome is AdjustmentOutcome.DONE else None,
            message=message,
        )


def _totals_of(moved: Moved) -> CurrencyTotals:
    return CurrencyTotals(moved.captures, moved.captured, moved.refunds, moved.refunded)


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
