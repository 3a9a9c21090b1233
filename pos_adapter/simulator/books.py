"""What a simulated host remembers: payments, what went back, and their sums; all of it in memory."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from pos_adapter.errors import NotAllowed
from pos_adapter.types import (
    AdjustmentOutcome,
    AdjustmentResponse,
    CurrencyTotals,
    ExchangeKey,
    Money,
    PaymentRecord,
    PaymentRequest,
    PaymentResponse,
    RefundRequest,
    ReversalRequest,
    Settlement,
    Totals,
    TransactionId,
)


class SimulatedBooks:
    """Obeys `RecordsHost` and `HistoryHost`: recorded answers, capture or void once, refunds in one piece.

    `payments` is open to tests, which hold what was captured against what tills acknowledged.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.payments: dict[ExchangeKey, PaymentRecord] = {}
        self.broken: Exception | None = None
        self._adjusted: dict[ExchangeKey, AdjustmentResponse] = {}
        self._now = now
        self._since = now()
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)

    def _record(self, request: PaymentRequest, response: PaymentResponse) -> PaymentResponse:
        settlement = Settlement.PENDING if response.outcome.is_approval else Settlement.NONE
        with self._lock:
            self.payments[request.key] = PaymentRecord(request, response, settlement)
        return response

    def telling(self, transaction: TransactionId, till_will_say: bool) -> None:
        """Refuse what is open no more; this host does not outlive a crash that it would have to remember."""
        with self._lock:
            newest_first = reversed(self.payments.values())
            record = next((r for r in newest_first if _transaction_of(r) == transaction), None)
        if record is not None and record.settlement is Settlement.VOIDED:
            raise NotAllowed("this approval was voided")

    def acknowledge(self, transaction: TransactionId, learned: bool) -> None:
        """Capture or void an open authorisation, once."""
        with self._lock:
            # The newest is asked about first, and almost always meant.
            for key, record in reversed(self.payments.items()):
                if _transaction_of(record) == transaction:
                    if record.settlement is Settlement.PENDING:
                        settlement = Settlement.CAPTURED if learned else Settlement.VOIDED
                        self.payments[key] = replace(record, settlement=settlement)
                    return

    def find(self, key: ExchangeKey) -> PaymentRecord | None:
        """The record of a key."""
        if self.broken is not None:
            raise self.broken
        with self._lock:
            return self.payments.get(key)

    def latest(self, wire: str, till: str) -> PaymentRecord | None:
        """The newest record of a till on a wire."""
        with self._lock:
            of_till = [r for k, r in self.payments.items() if (k.wire, k.till) == (wire, till)]
        return of_till[-1] if of_till else None

    def find_receipt(self, receipt_number: int) -> PaymentRecord | None:
        """The newest record with a receipt number."""
        with self._lock:
            with_number = [r for r in self.payments.values() if _receipt_of(r) == receipt_number]
        return with_number[-1] if with_number else None

    def reverse(self, request: ReversalRequest) -> AdjustmentResponse:
        """Undo a whole payment."""
        as_refund = RefundRequest(request.key, request.transaction, request.receipt_number)
        return self._adjust(as_refund, Settlement.VOIDED)

    def refund(self, request: RefundRequest) -> AdjustmentResponse:
        """Give money back, in one piece; an unlinked refund is not possible."""
        return self._adjust(request, Settlement.REFUNDED)

    def _adjust(self, request: RefundRequest, settlement: Settlement) -> AdjustmentResponse:
        with self._lock:
            if request.key not in self._adjusted:
                self._adjusted[request.key] = self._adjust_once(request, settlement)
            return self._adjusted[request.key]

    def _adjust_once(self, request: RefundRequest, settlement: Settlement) -> AdjustmentResponse:
        record = self._find_original(request)
        if record is None or record.response is None or record.response.authorised is None:
            return AdjustmentResponse(AdjustmentOutcome.NOT_FOUND, self._now())
        original = record.response.transaction
        if record.settlement not in (Settlement.PENDING, Settlement.CAPTURED):
            return AdjustmentResponse(AdjustmentOutcome.ALREADY_REVERSED, self._now(), original=original)
        paid = record.response.authorised
        amount = request.amount or paid
        if amount.currency != paid.currency or not 0 < amount.minor <= paid.minor:
            return AdjustmentResponse(AdjustmentOutcome.NOT_POSSIBLE, self._now(), original=original)
        self.payments[record.request.key] = replace(record, settlement=settlement)
        number = next(self._numbers)
        return AdjustmentResponse(
            AdjustmentOutcome.DONE,
            self._now(),
            transaction=TransactionId(f"SIM{number:09d}"),
            original=original,
            amount=amount,
            receipt_number=(number - 1) % 9999 + 1,
        )

    def _find_original(self, request: RefundRequest) -> PaymentRecord | None:
        if request.transaction is not None:
            same = [r for r in self.payments.values() if _transaction_of(r) == request.transaction]
            return same[-1] if same else None
        return self.find_receipt(request.receipt_number) if request.receipt_number is not None else None

    def totals(self, close: bool) -> Totals:
        """Sums over everything recorded; closing moves the period's start."""
        with self._lock:
            records = list(self.payments.values())
            since, until = self._since, self._now()
            if close:
                self._since = until
            given_back = {a.original: a.amount for a in self._adjusted.values() if a.original and a.amount}
        names = sorted({r.request.amount.currency for r in records})
        return Totals(since, until, tuple(_totals_of(records, name, since, given_back) for name in names))


def _transaction_of(record: PaymentRecord) -> TransactionId | None:
    return record.response.transaction if record.response else None


def _receipt_of(record: PaymentRecord) -> int | None:
    return record.response.receipt_number if record.response else None


def _totals_of(
    records: list[PaymentRecord], currency: str, since: datetime, given_back: dict[TransactionId, Money]
) -> CurrencyTotals:
    answers = [
        (record.response.authorised, record.settlement, record.response.transaction)
        for record in records
        if record.response and record.response.authorised and record.response.at >= since
        if record.response.authorised.currency == currency
    ]
    paid = [money.minor for money, s, _ in answers if s in (Settlement.CAPTURED, Settlement.REFUNDED)]
    back = [given_back[t].minor for _, s, t in answers if s is Settlement.REFUNDED and t in given_back]
    return CurrencyTotals(len(paid), Money(sum(paid), currency), len(back), Money(sum(back), currency))
