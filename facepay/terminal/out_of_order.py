"""What answers the tills when the terminal could not be built: out of order, in every wire's own words.

The wires stay open, so that a card terminal behind them still gets its payments.
"""

from __future__ import annotations

from datetime import UTC, datetime

from facepay.errors import Fault
from facepay.outcomes import CashierWords, Words
from pos_adapter.base import ProgressListener
from pos_adapter.types import (
    AdjustmentOutcome,
    AdjustmentResponse,
    ExchangeKey,
    IdentifyRequest,
    IdentifyResponse,
    Outcome,
    PaymentRecord,
    PaymentRequest,
    PaymentResponse,
    RefundRequest,
    ReversalRequest,
    TerminalStatus,
    Totals,
    TransactionId,
)


class OutOfOrderHost:
    """Satisfies `TillHost` and does nothing but say so."""

    def __init__(self, words: Words) -> None:
        self._message = words.cashier[CashierWords.OUT_OF_ORDER]

    def pay(self, request: PaymentRequest, progress: ProgressListener) -> PaymentResponse:
        """Out of order; nothing was charged."""
        return PaymentResponse(Outcome.DEVICE_DEAD, request.amount, _now(), message=self._message)

    def telling(self, transaction: TransactionId, till_will_say: bool) -> None:
        """There is no approval to tell."""

    def acknowledge(self, transaction: TransactionId, learned: bool) -> None:
        """Nothing is open here; the next start settles what an earlier run left."""

    def cancel(self, key: ExchangeKey) -> None:
        """Nothing runs."""

    def status(self) -> TerminalStatus:
        """Out of order."""
        return TerminalStatus.OUT_OF_ORDER

    def find(self, key: ExchangeKey) -> PaymentRecord | None:
        """Nothing is known without a journal."""
        return None

    def latest(self, wire: str, till: str) -> PaymentRecord | None:
        """Nothing is known without a journal."""
        return None

    def find_receipt(self, receipt_number: int) -> PaymentRecord | None:
        """Nothing is known without a journal."""
        return None

    def reverse(self, request: ReversalRequest) -> AdjustmentResponse:
        """Not possible now."""
        return AdjustmentResponse(AdjustmentOutcome.NOT_POSSIBLE, _now(), message=self._message)

    def refund(self, request: RefundRequest) -> AdjustmentResponse:
        """Not possible now."""
        return AdjustmentResponse(AdjustmentOutcome.NOT_POSSIBLE, _now(), message=self._message)

    def totals(self, close: bool) -> Totals:
        """Figures need the journal.

        Raises:
            Fault: always; the wires answer in their own words.
        """
        raise Fault("the terminal is out of order: no figures can be given")

    def identify(self, request: IdentifyRequest, progress: ProgressListener) -> IdentifyResponse:
        """Nobody can be identified."""
        return IdentifyResponse(Outcome.DEVICE_DEAD, _now(), message=self._message)


def _now() -> datetime:
    return datetime.now(UTC)
