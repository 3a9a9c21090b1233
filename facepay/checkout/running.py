"""One sale in its thread, and the one answer that leaves it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from facepay.checkout.parts import CheckoutParts
from facepay.checkout.sale import FaceSale
from facepay.counter import Answer, Phase
from facepay.errors import (
    AmbiguousMatch,
    AttackSuspected,
    Cancelled,
    ChoseCard,
    Declined,
    FailureToAcquire,
    Fault,
    NoMatch,
    NotEnrolled,
    NotTheHolder,
    OutcomeUnknown,
)
from facepay.journal import Entry, JournalError, State
from facepay.monitoring import STAGES
from facepay.outcomes import UNFORESEEN, CashierWords, Row, ShopperWords, outcome_of
from pos_adapter.types import Outcome, PaymentRecord, PaymentRequest, PaymentResponse, Settlement

log = logging.getLogger(__name__)
ABORT = Row(Outcome.CASHIER_ABORT, ShopperWords.CANCELLED, CashierWords.CANCELLED)
STRANGERS = (NoMatch, AmbiguousMatch, AttackSuspected, NotEnrolled)
"""Failures to recognise that count towards the terminal's lock-out; a wrong PIN counts itself."""
CAPTURE_RESULTS: dict[type[Exception], str] = {
    FailureToAcquire: "failure_to_acquire",
    AttackSuspected: "attack_suspected",
}
NOT_YET_MONEY = frozenset({State.NEW, State.IDENTIFIED})


class RunningSale:
    """Runs a `FaceSale` and gives one answer, by its end or by a cancel, whichever comes first."""

    def __init__(
        self,
        parts: CheckoutParts,
        sale: FaceSale,
        entry: Entry,
        request: PaymentRequest,
        release: Callable[[], None],
    ) -> None:
        self._parts = parts
        self._sale = sale
        self._release = release
        self._lock = threading.Lock()
        self._answered = threading.Event()
        self._aborted = threading.Event()
        self._started_s = time.monotonic()
        self._capture_result = ""
        self.entry = entry
        self.request = request
        self.response: PaymentResponse | None = None
        self.abandoned = False
        """Whether the answer is out while the thread is still winding down."""

    @property
    def stages_ms(self) -> dict[str, float]:
        """Milliseconds by stage."""
        return self._sale.times.as_table()

    def start(self) -> None:
        """Start the sale's thread."""
        threading.Thread(target=self._work, name=f"sale-{self.entry.payment[:8]}", daemon=True).start()

    def abort(self) -> None:
        """The till cancels: an approval that was not answered yet will not be."""
        self._sale.answers.give(Answer.CANCEL)
        self._aborted.set()

    def wait(self) -> PaymentResponse:
        """The answer; at most `cancel_s` after somebody ended the sale, whatever its thread is at."""
        answers = self._sale.answers
        while not self._answered.wait(0.02):
            if answers.ended and not self._answered.wait(self._parts.terms.cancel_s):
                self._abandon()
        if self.response is None:
            raise OutcomeUnknown("the sale ended without an answer")
        return self.response

    def record(self, record: PaymentRecord) -> PaymentRecord:
        """The record with the answer that went out."""
        return replace(record, response=self.response, settlement=Settlement.NONE)

    def _abandon(self) -> None:
        ended = self._how_it_ended()
        row = self._row(ended)
        with self._lock:
            if self.response is None:
                self.abandoned = True
                self._answer(self._response(row), row, _phase(ended, row))

    def _how_it_ended(self) -> Cancelled:
        try:
            self._sale.answers.require_going_on()
        except Cancelled as ended:
            return ended
        return Cancelled("the sale was cancelled")

    def _row(self, error: Exception) -> Row:
        return ABORT if self._aborted.is_set() and isinstance(error, Cancelled) else outcome_of(error)

    def _work(self) -> None:
        try:
            response, row, phase = self._run()
            with self._lock:
                late = self.response is not None
                if not late:
                    self._answer(response, row, phase)
            if late and response.outcome.is_approval:
                # The till was told of the abort a moment before the approval was written.
                self._parts.settlement.acknowledge(self.entry.payment, learned=False)
            self._measure(response)
        finally:
            # The slot is free before anybody hears the answer, so that the next sale is never
            # told busy by the one it follows.
            self._release()
            self.abandoned = False
            self._answered.set()

    def _measure(self, response: PaymentResponse) -> None:
        monitor = self._parts.monitor
        monitor.count_payment(response.outcome)
        if self._capture_result or self._sale.times.runs("extract"):
            monitor.count_capture(self._capture_result or "acquired")
        for stage, spent_ms in self.stages_ms.items():
            if stage in STAGES:
                monitor.observe_stage(stage, spent_ms / 1000)

    def _run(self) -> tuple[PaymentResponse, Row | None, Phase]:
        try:
            return self._sale.run(), None, Phase.APPROVED
        except Exception as error:
            row = self._row(error)
            self._count(error)
            self._capture_result = CAPTURE_RESULTS.get(type(error), self._capture_result)
            if row.outcome is Outcome.NO_MATCH:
                self._even_out()
            self._report(error, row)
            self._close(error, row)
            return self._response(row), row, _phase(error, row)

    def _count(self, error: Exception) -> None:
        try:
            if isinstance(error, STRANGERS):
                claimed = error.account if isinstance(error, NotTheHolder) else None
                self._parts.accounts.note_failure(claimed)
        except Fault as fault:
            log.error("payment %s: its failure could not be counted: %s", self.entry.payment, fault)

    def _even_out(self) -> None:
        """Wait for the next point of the grid, so that the moment of a refusal tells nothing."""
        grid_s = self._parts.terms.refusal_grid_s
        elapsed_s = time.monotonic() - self._started_s
        self._aborted.wait((-elapsed_s) % grid_s if grid_s else 0.0)

    def _answer(self, response: PaymentResponse, row: Row | None, phase: Phase) -> None:
        self.response = response
        shopper = row.shopper if row else ShopperWords.APPROVED
        cashier = row.cashier if row else CashierWords.APPROVED
        self._sale.screen.show(
            phase, words=shopper.value, cashier_words=cashier.value, account=response.account
        )
        if self.abandoned:
            self._answered.set()

    def _report(self, error: Exception, row: Row) -> None:
        if row.alert or not isinstance(error, Declined):
            log.error("payment %s: %s", self.entry.payment, error, exc_info=row is UNFORESEEN)
            self._parts.alert(error, row)
        else:
            log.info("payment %s: %s", self.entry.payment, type(error).__name__)

    def _close(self, error: Exception, row: Row) -> None:
        """Write the end of a payment that never reached the money; the rest is settlement's."""
        state = State.DECLINED if isinstance(error, Declined) and row is not ABORT else State.ABORTED
        try:
            entry = self._parts.journal.find(self.entry.payment)
            if entry is not None and entry.state in NOT_YET_MONEY:
                facts = {
                    "reason": type(error).__name__,
                    "outcome": row.outcome.value,
                    "message": self._parts.words.cashier[row.cashier],
                }
                self._parts.journal.advance(self.entry.payment, state, facts=facts)
        except JournalError as journal_error:
            log.error("payment %s: its end could not be written: %s", self.entry.payment, journal_error)

    def _response(self, row: Row) -> PaymentResponse:
        at = datetime.fromtimestamp(self.entry.at_ms / 1000, UTC)
        return PaymentResponse(
            row.outcome,
            self.request.amount,
            at,
            transaction=self.entry.payment,
            message=self._parts.words.cashier[row.cashier],
        )


def _phase(error: Exception, row: Row) -> Phase:
    if isinstance(error, ChoseCard):
        return Phase.CARD
    if row is ABORT or isinstance(error, Cancelled):
        return Phase.CANCELLED
    return Phase.DECLINED
