"""A simulated payment host: no camera, no face, no money; outcomes are chosen by the amount.

For integrators and tests. `python -m pos_adapter.simulator --help` has the table of amounts.

It obeys the host's contract: one sale at a time, recorded answers, capture or void once. Its books
(`payments`) are open to tests, which hold what was captured against what tills acknowledged.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from pos_adapter.base import ProgressListener
from pos_adapter.sale import utc_now
from pos_adapter.simulator.books import SimulatedBooks
from pos_adapter.types import (
    ExchangeKey,
    IdentifyRequest,
    IdentifyResponse,
    Outcome,
    PaymentRecord,
    PaymentRequest,
    PaymentResponse,
    ProgressStep,
    Settlement,
    TerminalStatus,
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


class SimulatedHost(SimulatedBooks):
    """Obeys `TillHost` in memory; see the module's table for the outcomes."""

    def __init__(
        self, options: SimulatorOptions | None = None, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        warnings.warn("the simulated host takes no real payments", UserWarning, stacklevel=2)
        super().__init__(now)
        self.options = options or SimulatorOptions()
        self.terminal = TerminalStatus.READY
        self._running: PaymentRequest | IdentifyRequest | None = None
        self._woken = threading.Event()
        self._cancelled = False
        self._unknown: dict[ExchangeKey, tuple[PaymentRequest, Outcome]] = {}

    def pay(self, request: PaymentRequest, progress: ProgressListener) -> PaymentResponse:
        """Play one payment; the amount chooses its end."""
        if self.broken is not None:
            raise self.broken
        with self._lock:
            if self._running is not None:
                return PaymentResponse(Outcome.BUSY, request.amount, self._now())
            self._begin(request)
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
            if self._cancelled_within(self._pause_s(step, request)):
                outcome = Outcome.CASHIER_ABORT
                break
        response = self._record(request, self._response(request, outcome))
        if outcome is Outcome.PROVIDER_UNKNOWN:
            end = Outcome.APPROVED if digits == _THEN_APPROVED else Outcome.PROVIDER_UNREACHABLE
            self._unknown[request.key] = request, end
            later = threading.Timer(self.options.unknown_s, self.resolve, [request.key])
            later.daemon = True
            later.start()
        return response

    def act(self) -> None:
        """The shopper, or whatever the sale lingers at, goes on now."""
        self._woken.set()

    def resolve(self, key: ExchangeKey | None = None) -> None:
        """What is unknown, all of it or that of one request, becomes known now."""
        with self._lock:
            for each in [key] if key else list(self._unknown):
                if found := self._unknown.pop(each, None):
                    self._record(found[0], self._response(*found))

    def _begin(self, request: PaymentRequest | IdentifyRequest) -> None:
        self._running, self._cancelled = request, False
        self._woken.clear()

    def _cancelled_within(self, seconds: float) -> bool:
        if self._woken.wait(seconds) and not self._cancelled:
            self._woken.clear()
        return self._cancelled

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

    def cancel(self, key: ExchangeKey) -> None:
        """Stop the running payment when it has this key."""
        with self._lock:
            if self._running is not None and self._running.key == key:
                self._cancelled = True
                self._woken.set()

    def status(self) -> TerminalStatus:
        """Ready, busy, or what a test set."""
        if self.broken is not None:
            return TerminalStatus.OUT_OF_ORDER
        return TerminalStatus.BUSY if self._running is not None else self.terminal

    def identify(self, request: IdentifyRequest, progress: ProgressListener) -> IdentifyResponse:
        """Always the same shopper."""
        with self._lock:
            if self._running is not None:
                return IdentifyResponse(Outcome.BUSY, self._now())
            self._begin(request)
        try:
            progress(ProgressStep.CAPTURING)
            if self._cancelled_within(self.options.shopper_s):
                return IdentifyResponse(Outcome.CASHIER_ABORT, self._now())
            number = next(self._numbers)
            return IdentifyResponse(Outcome.APPROVED, self._now(), f"ident-{number}", "shopper-0042")
        finally:
            with self._lock:
                self._running = None
