"""The payment host of this terminal: admits one sale at a time and answers every wire.

A sale runs in a thread of its own. Whoever cancels is answered within `cancel_s`, at every state: what
the thread still does afterwards ends without a charge, and the next sale waits until it is done.
"""

from __future__ import annotations

import logging
import secrets
import threading
from datetime import UTC, datetime

from facepay.checkout.parts import CheckoutParts
from facepay.checkout.records import opening_of, record_of, response_of
from facepay.checkout.running import RunningSale
from facepay.checkout.sale import FaceSale
from facepay.counter import Answer, Phase, SaleView
from facepay.errors import Busy, LimitExceeded
from facepay.journal import Entry, RequestChanged, State
from facepay.outcomes import Row, outcome_of
from facepay.settlement import Settled
from pos_adapter.base import ProgressListener
from pos_adapter.types import (
    AdjustmentResponse,
    ExchangeKey,
    IdentifyRequest,
    IdentifyResponse,
    Money,
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

log = logging.getLogger(__name__)
WIND_DOWN_S = 3.0
"""How long a new sale waits for a cancelled one to let go of the camera."""


class Checkout:
    """`PaymentHost` and `RecordsHost` over camera, gallery, journal and provider."""

    def __init__(self, parts: CheckoutParts) -> None:
        self._parts = parts
        self._history = parts.history
        self._slot = threading.Lock()
        self._running: RunningSale | None = None
        self._looking: tuple[FaceSale, ExchangeKey] | None = None
        self._receipt = self._history.latest_receipt()

    def settle(self) -> Settled:
        """Finish what an earlier run of this terminal left open; before the first sale."""
        settled = self._parts.settlement.settle_open()
        if settled.telling:
            text = "%d approvals were being told when an earlier run died; their tills have time to ask again"
            log.warning(text, len(settled.telling))
        if not settled.clean:
            log.error("%d payments are not settled yet; they are asked for again", len(settled.still_open))
        return settled

    def pay(self, request: PaymentRequest, progress: ProgressListener) -> PaymentResponse:
        """Run one payment to its end and answer; see `PaymentHost.pay`."""
        if not self._take_slot():
            return self._answer(request, outcome_of(Busy()))
        try:
            entry, repeated = self._begin(request)
        except Exception as error:
            self._slot.release()
            return self._refuse_unstarted(request, error)
        if repeated:
            self._slot.release()
            return response_of(entry) or self._answer(request, outcome_of(Busy()))
        return self._run(entry, request, progress)

    def _take_slot(self) -> bool:
        running = self._running
        winding_down = running is not None and running.abandoned
        return self._slot.acquire(timeout=WIND_DOWN_S) if winding_down else self._slot.acquire(blocking=False)

    def _begin(self, request: PaymentRequest) -> tuple[Entry, bool]:
        if request.amount.currency != self._parts.terms.currency:
            raise LimitExceeded(f"this terminal takes {self._parts.terms.currency} only")
        request.amount.require_payable()
        begun = self._parts.journal.begin(opening_of(request))
        return begun.entry, begun.repeated

    def _refuse_unstarted(self, request: PaymentRequest, error: Exception) -> PaymentResponse:
        row = outcome_of(error)
        if row.alert:
            log.error("a sale could not be started", exc_info=error)
            self._parts.alert(error, row)
        if not isinstance(error, RequestChanged):
            self._parts.counter.show(
                SaleView(Phase.DECLINED, words=row.shopper.value, cashier_words=row.cashier.value)
            )
        return self._answer(request, row)

    def _run(self, entry: Entry, request: PaymentRequest, progress: ProgressListener) -> PaymentResponse:
        self._receipt = self._receipt % 9_999 + 1
        sale = FaceSale(self._parts, entry.payment, request, progress, self._receipt)
        running = RunningSale(self._parts, sale, entry, request, self._slot.release)
        self._running = running
        running.start()
        return running.wait()

    def _answer(self, request: PaymentRequest, row: Row) -> PaymentResponse:
        message = self._parts.words.cashier[row.cashier]
        return PaymentResponse(row.outcome, request.amount, self._now(), message=message)

    def telling(self, transaction: TransactionId, till_will_say: bool) -> None:
        """Write down that the till gets the whole approval now."""
        self._parts.settlement.telling(transaction, till_will_say=till_will_say)

    def acknowledge(self, transaction: TransactionId, learned: bool) -> None:
        """Capture what the till has learned of, void what it never will."""
        self._parts.settlement.acknowledge(transaction, learned=learned)

    def cancel(self, key: ExchangeKey) -> None:
        """End the running payment of this key as `CASHIER_ABORT`."""
        running = self._running
        if running is not None and running.request.key == key:
            running.abort()
        looking = self._looking
        if looking is not None and looking[1] == key:
            looking[0].answers.give(Answer.CANCEL)

    def status(self) -> TerminalStatus:
        """Whether a sale could start now; without its camera the terminal is out of order."""
        if self._slot.locked():
            return TerminalStatus.BUSY
        present = self._parts.capture.identity.is_present
        return TerminalStatus.READY if present else TerminalStatus.OUT_OF_ORDER

    def find(self, key: ExchangeKey) -> PaymentRecord | None:
        """What is recorded for a key."""
        entry = self._parts.journal.find_request(key.text)
        return None if entry is None else self._record(entry)

    def latest(self, wire: str, till: str) -> PaymentRecord | None:
        """The newest record of a till on a wire."""
        entry = self._history.latest(wire, till)
        return None if entry is None else self._record(entry)

    def find_receipt(self, receipt_number: int) -> PaymentRecord | None:
        """The newest record with a receipt number."""
        entry = self._history.find_receipt(receipt_number)
        return None if entry is None else self._record(entry)

    def reverse(self, request: ReversalRequest) -> AdjustmentResponse:
        """Undo a whole payment."""
        return self._parts.adjustments.reverse(request)

    def refund(self, request: RefundRequest) -> AdjustmentResponse:
        """Give some or all of a payment back."""
        return self._parts.adjustments.refund(request)

    def totals(self, close: bool) -> Totals:
        """Figures since the last close."""
        return self._parts.adjustments.totals(close)

    def identify(self, request: IdentifyRequest, progress: ProgressListener) -> IdentifyResponse:
        """Say who stands there, by a pseudonym of this merchant; no money is asked for."""
        if not self._take_slot():
            return self._unknown(outcome_of(Busy()))
        try:
            amount = Money(0, self._parts.terms.currency)
            sought = PaymentRequest(request.key, amount, timeout_s=request.timeout_s)
            sale = FaceSale(self._parts, TransactionId(f"i-{secrets.token_hex(8)}"), sought, progress, 0)
            self._looking = sale, request.key
            look = sale.look()
            sale.screen.show(Phase.APPROVED)
        except Exception as error:
            log.info("nobody was identified: %s", type(error).__name__)
            row = outcome_of(error)
            self._parts.counter.show(SaleView(Phase.DECLINED, words=row.shopper.value))
            return self._unknown(row)
        finally:
            self._looking = None
            self._slot.release()
        pseudonym = self._parts.pseudonym(look.identification.subject)
        token = self._parts.identities.keep(look)
        return IdentifyResponse(Outcome.APPROVED, self._now(), token, pseudonym)

    def _unknown(self, row: Row) -> IdentifyResponse:
        return IdentifyResponse(row.outcome, self._now(), message=self._parts.words.cashier[row.cashier])

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._parts.now_ms() / 1000, UTC)

    def _record(self, entry: Entry) -> PaymentRecord:
        running = self._running
        if running is not None and running.entry.payment == entry.payment and running.response is not None:
            # The till was answered before the thread had written its last row.
            record = record_of(entry)
            return record if record.response is not None else running.record(record)
        return record_of(entry, self._refunded_minor(entry))

    def _refunded_minor(self, entry: Entry) -> int:
        if entry.state is not State.CAPTURED:
            return 0
        refunds = self._parts.journal.refunds_of(entry.payment)
        return sum(refund.amount.minor for refund in refunds if refund.state is State.REFUNDED)

    def stages_ms(self) -> dict[str, float]:
        """Milliseconds by stage of the newest sale, for transcript and benchmarks."""
        return self._running.stages_ms if self._running else {}
