"""One payment as a wire sees it: its progress, its end, and what the till made of the end.

A cancel that was taken wins over an approval not yet announced; an unknown provider result is held, never
guessed; leave a sale's context and an unsettled approval is voided. Whatever the host raises becomes an
answer, so that a wire (and the card terminal behind it) works on.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType

from pos_adapter.base import TillHost
from pos_adapter.errors import NotToBeTold, PosError
from pos_adapter.types import (
    Outcome,
    PaymentRecord,
    PaymentRequest,
    PaymentResponse,
    ProgressStep,
    Settlement,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progressed:
    """A running payment moved on."""

    step: ProgressStep


@dataclass(frozen=True, slots=True)
class Finished:
    """The payment ended; `replayed` says that the answer comes from the record."""

    response: PaymentResponse
    replayed: bool = False


SaleEvent = Progressed | Finished
SaleListener = Callable[[SaleEvent], None]
"""Called from the payment's thread; puts the event into the wire's inbox and returns at once."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Seconds: how long an unknown provider result is held, how often it is looked up meanwhile."""

    hold_unknown_s: float = 120.0
    look_up_every_s: float = 0.5
    acknowledge_tries: int = 3


def utc_now() -> datetime:
    """The time of day, with its zone."""
    return datetime.now(UTC)


def final_response(record: PaymentRecord) -> PaymentResponse | None:
    """The answer that is true now: an approval whose money went back is no approval any more."""
    response = record.response
    if response is None or not response.outcome.is_approval:
        return response
    if record.settlement in (Settlement.VOIDED, Settlement.NONE):
        text = "The sale was reversed: the till had not confirmed it."
        return dataclasses.replace(response, outcome=Outcome.CASHIER_ABORT, authorised=None, message=text)
    return response


@dataclass(frozen=True, slots=True)
class SaleContext:
    """What a sale needs of its session: the host, the patience, the clock, and how to make room again."""

    host: TillHost
    options: SessionOptions
    now: Callable[[], datetime]
    release: Callable[[], None]

    def answer(self, request: PaymentRequest, outcome: Outcome) -> PaymentResponse:
        """An answer without a transaction, given by the session itself."""
        return PaymentResponse(outcome=outcome, requested=request.amount, at=self.now())

    def telling(self, response: PaymentResponse, *, till_will_say: bool = False) -> None:
        """Call it right before the till is given the whole of an answer that may be an approval.

        Raises:
            NotToBeTold: it cannot be written down, or is no approval any more; hang up instead.
        """
        if response.transaction is None or not response.outcome.is_approval:
            return
        try:
            self.host.telling(response.transaction, till_will_say)
        except Exception as error:
            raise NotToBeTold(f"the approval of {response.transaction} must not be told") from error


class Sale:
    """One payment as a wire sees it. Leave its context and an unsettled approval is voided."""

    def __init__(self, context: SaleContext, request: PaymentRequest, listener: SaleListener) -> None:
        self.request = request
        self.response: PaymentResponse | None = None
        self.replayed = False
        self._context = context
        self._listener = listener
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._cancelled = False
        self._abandoned = False
        self._settled = False
        self._kept = False

    def start(self) -> None:
        """Run the payment in a thread of its own."""
        name = f"sale-{self.request.key.wire}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        try:
            response = self._pay()
        finally:
            self._context.release()
        self.finish(response)

    def _pay(self) -> PaymentResponse:
        try:
            response = self._context.host.pay(self.request, self._progress)
            if response.outcome is Outcome.PROVIDER_UNKNOWN:
                response = self._resolve(response)
        except PosError as error:
            _log.warning("%s refused: %s", self.request.key.text, error)
            response = self._context.answer(self.request, Outcome.BAD_REQUEST)
        except Exception:
            _log.exception("the payment host failed during %s", self.request.key.text)
            response = self._context.answer(self.request, Outcome.FAILURE)
        return response

    def _progress(self, step: ProgressStep) -> None:
        self._listener(Progressed(step))

    def _resolve(self, response: PaymentResponse) -> PaymentResponse:
        """Hold an unknown result until the record knows better or the wire's patience ends."""
        options = self._context.options
        self._progress(ProgressStep.RESOLVING)
        waited = 0.0
        while waited < options.hold_unknown_s and not self._done.wait(options.look_up_every_s):
            waited += options.look_up_every_s
            known = self._look_up()
            if known is not None and known.outcome is not Outcome.PROVIDER_UNKNOWN:
                return known
        return response

    def _look_up(self) -> PaymentResponse | None:
        try:
            record = self._context.host.find(self.request.key)
        except Exception:
            _log.exception("the record of %s cannot be read; its result stays unknown", self.request.key.text)
            return None
        return final_response(record) if record else None

    def finish(self, response: PaymentResponse, *, replayed: bool = False) -> None:
        """Record the end and tell the wire; an approval nobody waits for any more is voided."""
        with self._lock:
            overtaken = (self._cancelled or self._abandoned) and response.outcome.is_approval
            if overtaken:
                self._settled = True
                void, response = response, self._context.answer(self.request, Outcome.CASHIER_ABORT)
            self.response, self.replayed = response, replayed
        if overtaken:
            self._acknowledge(void, learned=False)
        self._done.set()
        self._listener(Finished(response, replayed))

    def wait(self, timeout_s: float) -> PaymentResponse | None:
        """The answer, or None while the payment still runs after `timeout_s`."""
        return self.response if self._done.wait(timeout_s) else None

    def cancel(self) -> bool:
        """The till aborts; False when the answer was already there."""
        with self._lock:
            if self.response is not None:
                return False
            self._cancelled = True
        self._ask_host_to_stop()
        return True

    def _ask_host_to_stop(self) -> None:
        try:
            self._context.host.cancel(self.request.key)
        except Exception:
            _log.exception("the payment host could not cancel %s", self.request.key.text)

    def telling(self, *, till_will_say: bool = False) -> None:
        """See `SaleContext.telling`."""
        if self.response is not None:
            self._context.telling(self.response, till_will_say=till_will_say)

    def settle(self, learned: bool) -> bool:
        """Once: the till has learned of the approval (capture) or will not (void).

        Returns:
            Whether this call was the one that settled an approval.
        """
        with self._lock:
            response = self.response
            if response is None or self._settled:
                return False
            self._settled = True
        if response.outcome.is_approval:
            self._acknowledge(response, learned=learned)
        return response.outcome.is_approval

    @property
    def is_settled(self) -> bool:
        """Whether no money of this sale waits for an acknowledgement."""
        response = self.response
        return response is not None and (self._settled or not response.outcome.is_approval)

    def keep(self) -> None:
        """Leaving the context does not void: somebody else settles this sale within its own deadline."""
        self._kept = True

    def _acknowledge(self, response: PaymentResponse, *, learned: bool) -> None:
        transaction = response.transaction
        if transaction is None:
            return
        for _ in range(self._context.options.acknowledge_tries):
            try:
                self._context.host.acknowledge(transaction, learned)
            except Exception:
                _log.exception("acknowledging %s (learned: %s) failed", transaction, learned)
            else:
                return

    def __enter__(self) -> Sale:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            running = self.response is None
            self._abandoned = running
        if running:
            self._ask_host_to_stop()
        if not self._kept:
            self.settle(learned=False)
