"""A terminal without a face: journal, settlement, provider and records are real, only the payer is given.

What the disasters round a wire need of a checkout. A payment of `LINGERING` waits between the provider's
approval and the till's answer, so that a cancel can come just then.
"""

from __future__ import annotations

import threading

from facepay.checkout.records import approval_of, opening_of, record_of, response_of
from facepay.errors import Fault
from facepay.journal import Entry, Journal
from facepay.journal.history import History
from facepay.psp.base import Answer, PayerToken
from facepay.settlement import Settlement
from pos_adapter.base import ProgressListener
from pos_adapter.sale import utc_now
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
    ProgressStep,
    RefundRequest,
    ReversalRequest,
    TerminalStatus,
    Totals,
    TransactionId,
)

LINGERING = 77
"""The last two digits, in minor units, of an amount that lingers."""
_LINGER_S = 10.0


class FacelessHost:
    """Satisfies `TillHost` for sales; it gives nothing back and identifies nobody."""

    def __init__(self, journal: Journal, settlement: Settlement, history: History, payer: PayerToken) -> None:
        self._journal = journal
        self._settlement = settlement
        self._history = history
        self._payer = payer
        self._slot = threading.Lock()
        self._stop = threading.Event()
        self._running: ExchangeKey | None = None
        self._receipt = history.latest_receipt()

    def pay(self, request: PaymentRequest, progress: ProgressListener) -> PaymentResponse:
        """Sell; the payer agrees to everything."""
        if not self._slot.acquire(blocking=False):
            return PaymentResponse(Outcome.BUSY, request.amount, utc_now())
        try:
            self._stop.clear()
            self._running = request.key
            begun = self._journal.begin(opening_of(request))
            if begun.repeated:
                return response_of(begun.entry) or PaymentResponse(Outcome.BUSY, request.amount, utc_now())
            return self._sell(begun.entry, request, progress)
        finally:
            self._running = None
            self._slot.release()

    def _sell(self, entry: Entry, request: PaymentRequest, progress: ProgressListener) -> PaymentResponse:
        self._receipt = self._receipt % 9_999 + 1
        progress(ProgressStep.AUTHORISING)
        answer = self._settlement.authorise(
            entry.payment,
            self._payer,
            request.amount,
            payee="Chaos shop",
            terminal="chaos",
            identified={"account": self._payer, "factor": "pin", "receipt": self._receipt},
        )
        if answer.answer is not Answer.APPROVED:
            return PaymentResponse(Outcome.DECLINED, request.amount, utc_now(), entry.payment)
        if request.amount.minor % 100 == LINGERING and self._stop.wait(_LINGER_S):
            self._settlement.acknowledge(entry.payment, learned=False)
            return PaymentResponse(Outcome.CASHIER_ABORT, request.amount, utc_now(), entry.payment)
        return approval_of(self._settlement.announce(entry.payment))

    def telling(self, transaction: TransactionId, till_will_say: bool) -> None:
        """Write it down."""
        self._settlement.telling(transaction, till_will_say=till_will_say)

    def acknowledge(self, transaction: TransactionId, learned: bool) -> None:
        """Capture or void."""
        self._settlement.acknowledge(transaction, learned=learned)

    def cancel(self, key: ExchangeKey) -> None:
        """End the running sale of this key."""
        if self._running == key:
            self._stop.set()

    def status(self) -> TerminalStatus:
        """Ready, or busy."""
        return TerminalStatus.BUSY if self._slot.locked() else TerminalStatus.READY

    def find(self, key: ExchangeKey) -> PaymentRecord | None:
        """The journal's entry of a key."""
        return _recorded(self._journal.find_request(key.text))

    def latest(self, wire: str, till: str) -> PaymentRecord | None:
        """The journal's newest entry of a till."""
        return _recorded(self._history.latest(wire, till))

    def find_receipt(self, receipt_number: int) -> PaymentRecord | None:
        """The journal's newest entry with a receipt number."""
        return _recorded(self._history.find_receipt(receipt_number))

    def reverse(self, request: ReversalRequest) -> AdjustmentResponse:
        """Not here."""
        return AdjustmentResponse(AdjustmentOutcome.NOT_POSSIBLE, utc_now())

    def refund(self, request: RefundRequest) -> AdjustmentResponse:
        """Not here."""
        return AdjustmentResponse(AdjustmentOutcome.NOT_POSSIBLE, utc_now())

    def totals(self, close: bool) -> Totals:
        """Not here.

        Raises:
            Fault: always.
        """
        raise Fault("a terminal that is to be killed closes no day")

    def identify(self, request: IdentifyRequest, progress: ProgressListener) -> IdentifyResponse:
        """Nobody."""
        return IdentifyResponse(Outcome.DEVICE_DEAD, utc_now())


def _recorded(entry: Entry | None) -> PaymentRecord | None:
    return None if entry is None else record_of(entry)
