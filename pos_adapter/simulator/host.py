"""A simulated payment host: no camera, no face, no money; outcomes are chosen by the amount.

For integrators and tests. The last two digits of the amount (in minor units) say what happens:

    01 no match            05 declined               09 result unknown, then approved
    02 attack suspected    06 device dead            10 waits for a cancel, else times out
    03 shopper chose card  07 provider unreachable   11 half the amount, where partial is allowed
    04 timeout             08 result unknown, then voided
    anything else: approved

It obeys the host's contract: one sale at a time, recorded answers, capture or void once. Its books
(`payments`) are open to tests, which hold what was captured against what tills acknowledged.
"""

from __future__ import annotations

import itertools
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from pos_adapter.base import ProgressListener
from pos_adapter.errors import NotAllowed
from pos_adapter.sale import utc_now
from pos_adapter.types import (
    AdjustmentOutcome,
    AdjustmentResponse,
    CurrencyTotals,
    ExchangeKey,
    IdentifyRequest,
    IdentifyResponse,
    Money,
    Outcome,
    PaymentRecord,
    PaymentRequest,
    PaymentResponse,
    ProgressStep,
    RefundRequest,
    ReversalRequest,
    Settlement,
    TerminalStatus,
    Totals,
    TransactionId,
)

OUTCOME_BY_DIGITS = {
    1: Outcome.NO_MATCH,
    2: Outcome.ATTACK_SUSPECTED,
    3: Outcome.SHOPPER_CHOSE_CARD,
    4: Outcome.TIMEOUT,
    5: Outcome.DECLINED,
    6: Outcome.DEVICE_DEAD,
    7: Outcome.PROVIDER_UNREACHABLE,
    8: Outcome.PROVIDER_UNKNOWN,
    9: Outcome.PROVIDER_UNKNOWN,
    10: Outcome.TIMEOUT,
    11: Outcome.PARTIAL,
}
_STEPS = (
    ProgressStep.WAITING_FOR_SHOPPER,
    ProgressStep.CAPTURING,
    ProgressStep.CONFIRMING,
    ProgressStep.AUTHORISING,
)
_CANCELLABLE = 10
_THEN_APPROVED = 9


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """Seconds the simulated shopper takes, and how long an unknown result stays unknown.

    A sale stays at `lingers_at` until it is cancelled or patience ends.
    """

    shopper_s: float = 0.0
    patience_s: float = 30.0
    unknown_s: float = 0.2
    lingers_at: ProgressStep | None = None


class SimulatedHost:
    """Obeys `TillHost` in memory; see the module's table for the outcomes."""

    def __init__(
        self, options: SimulatorOptions | None = None, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        warnings.warn("the simulated host takes no real payments", UserWarning, stacklevel=2)
        self.options = options or SimulatorOptions()
        self.payments: dict[ExchangeKey, PaymentRecord] = {}
        self.broken: Exception | None = None
        self.terminal = TerminalStatus.READY
        self._adjusted: dict[ExchangeKey, AdjustmentResponse] = {}
        self._now = now
        self._since = now()
        self._lock = threading.RLock()
        self._running: PaymentRequest | IdentifyRequest | None = None
        self._stop = threading.Event()
        self._numbers = itertools.count(1)

    # -- PaymentHost -------------------------------------------------------------------------------

    def pay(self, request: PaymentRequest, progress: ProgressListener) -> PaymentResponse:
        """Play one payment; the amount chooses its end."""
        if self.broken is not None:
            raise self.broken
        with self._lock:
            if self._running is not None:
                return PaymentResponse(Outcome.BUSY, request.amount, self._now())
            self._running = request
            self._stop.clear()
            self.payments[request.key] = PaymentRecord(request, None, Settlement.NONE)
        try:
            response = self._play(request, progress)
        finally:
            with self._lock:
                self._running = None
        return response

    def _play(self, request: PaymentRequest, progress: ProgressListener) -> PaymentResponse:
        digits = request.amount.minor % 100
        outcome = OUTCOME_BY_DIGITS.get(digits, Outcome.APPROVED)
        for step in _STEPS:
            progress(step)
            if self._stop.wait(self._pause_s(step, request)):
                outcome = Outcome.CASHIER_ABORT
                break
        response = self._record(request, self._response(request, outcome))
        if outcome is Outcome.PROVIDER_UNKNOWN:
            end = Outcome.APPROVED if digits == _THEN_APPROVED else Outcome.PROVIDER_UNREACHABLE
            later = threading.Timer(
                self.options.unknown_s, lambda: self._record(request, self._response(request, end))
            )
            later.daemon = True
            later.start()
        return response

    def _pause_s(self, step: ProgressStep, request: PaymentRequest) -> float:
        options = self.options
        if step is options.lingers_at:
            return options.patience_s
        if step is not ProgressStep.WAITING_FOR_SHOPPER:
            return 0.0
        pause_s = options.patience_s if request.amount.minor % 100 == _CANCELLABLE else options.shopper_s
        return min(pause_s, request.timeout_s or pause_s)

    def _response(self, request: PaymentRequest, outcome: Outcome) -> PaymentResponse:
        number = next(self._numbers)
        authorised = request.amount if outcome is Outcome.APPROVED else None
        if outcome is Outcome.PARTIAL:
            half = replace(request.amount, minor=request.amount.minor // 2)
            allowed = request.partial_from is not None and request.partial_from.minor <= half.minor
            authorised, outcome = (half, outcome) if allowed else (None, Outcome.DECLINED)
        return PaymentResponse(
            outcome=outcome,
            requested=request.amount,
            at=self._now(),
            transaction=TransactionId(f"SIM{number:09d}"),
            authorised=authorised,
            approval_code=f"A{number % 1_000_000:06d}" if authorised else "",
            account="...42" if authorised else "",
            receipt_number=(number - 1) % 9999 + 1,
            pseudonym="shopper-0042" if authorised else None,
            message=f"Simulated: {outcome.value.replace('_', ' ')}.",
        )

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

    def cancel(self, key: ExchangeKey) -> None:
        """Stop the running payment when it has this key."""
        with self._lock:
            if self._running is not None and self._running.key == key:
                self._stop.set()

    def status(self) -> TerminalStatus:
        """Ready, busy, or what a test set."""
        if self.broken is not None:
            return TerminalStatus.OUT_OF_ORDER
        return TerminalStatus.BUSY if self._running is not None else self.terminal

    # -- RecordsHost and HistoryHost ---------------------------------------------------------------

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

    # -- IdentifyHost ------------------------------------------------------------------------------

    def identify(self, request: IdentifyRequest, progress: ProgressListener) -> IdentifyResponse:
        """Always the same shopper."""
        with self._lock:
            if self._running is not None:
                return IdentifyResponse(Outcome.BUSY, self._now())
            self._running = request
            self._stop.clear()
        try:
            progress(ProgressStep.CAPTURING)
            if self._stop.wait(self.options.shopper_s):
                return IdentifyResponse(Outcome.CASHIER_ABORT, self._now())
            number = next(self._numbers)
            return IdentifyResponse(Outcome.APPROVED, self._now(), f"ident-{number}", "shopper-0042")
        finally:
            with self._lock:
                self._running = None


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
