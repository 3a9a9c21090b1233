"""Payments that nobody waits for on the line: started, asked about, acknowledged later (REST, hw_proxy).

An approval that is not acknowledged within its time is voided. A repeated key finds the same payment,
in memory or in the host's records.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from pos_adapter.deadlines import Deadline
from pos_adapter.errors import KeyReused, RecordNotFound, RequestInProgress
from pos_adapter.sale import Finished, Progressed, Sale, SaleEvent, final_response
from pos_adapter.session import TransactionSession
from pos_adapter.types import (
    ExchangeKey,
    Outcome,
    PaymentRequest,
    PaymentResponse,
    ProgressStep,
    Settlement,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeskView:
    """A payment as it stands: running (`response` None), or ended with what became of its money."""

    request: PaymentRequest
    response: PaymentResponse | None
    settlement: Settlement
    step: ProgressStep | None = None


ViewListener = Callable[[DeskView], None]
"""Told each change of each payment, from whatever thread makes it; returns at once."""


@dataclass(frozen=True, slots=True)
class DeskOptions:
    """Seconds an approval waits for its acknowledgement; how many ended payments stay in memory."""

    acknowledge_within_s: float = 30.0
    remembered: int = 256


class _Ticket:
    """One payment of the desk while it is in memory."""

    def __init__(self, request: PaymentRequest) -> None:
        self.request = request
        self.sale: Sale | None = None
        self.response: PaymentResponse | None = None
        self.step: ProgressStep | None = None
        self.ended = threading.Event()
        self.clock: Deadline | None = None

    def stop_clock(self) -> None:
        """The approval is settled: its clock's thread ends now, not at its time."""
        if self.clock is not None:
            self.clock.cancel()


class PaymentDesk:
    """Starts payments and answers about them; share one among the wires of a terminal or give each one."""

    def __init__(
        self,
        session: TransactionSession,
        options: DeskOptions | None = None,
        *,
        on_change: ViewListener | None = None,
    ) -> None:
        self.session = session
        self._options = options or DeskOptions()
        self._on_change = on_change
        self._tickets: OrderedDict[ExchangeKey, _Ticket] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, request: PaymentRequest) -> DeskView:
        """Start a payment, or find the one this key already has.

        Raises:
            KeyReused: the key was used for another request.
        """
        with self._lock:
            known = self._tickets.get(request.key)
            ticket = known or _Ticket(request)
            self._tickets[request.key] = ticket
        if known is not None:
            if not known.request.same_as(request):
                raise KeyReused("this key was used for another payment request")
            return self.view(request.key)
        try:
            ticket.sale = self.session.begin(request, lambda event: self._hear(ticket, event))
        except RequestInProgress:
            self._forget(request.key)
            return DeskView(request, None, Settlement.NONE)
        except BaseException:
            self._forget(request.key)
            raise
        if ticket.response is not None and ticket.response.outcome is Outcome.BUSY:
            # It never began: the same key may try again.
            self._forget(request.key)
        return self._view_of(ticket)

    def _hear(self, ticket: _Ticket, event: SaleEvent) -> None:
        if isinstance(event, Progressed):
            ticket.step = event.step
            self._tell(self._view_of(ticket))
            return
        self._arm(ticket, event)
        # The end is published before anybody can see it, so that no later change overtakes it.
        self._tell(self._view_at_the_end(ticket, event.response))
        ticket.response = event.response
        ticket.ended.set()

    def _view_at_the_end(self, ticket: _Ticket, response: PaymentResponse) -> DeskView:
        try:
            return self._view_with(ticket, response)
        except Exception:
            _log.exception("the record of %s cannot be read", ticket.request.key.text)
            open_money = Settlement.PENDING if response.outcome.is_approval else Settlement.NONE
            return DeskView(ticket.request, response, open_money, ticket.step)

    def _arm(self, ticket: _Ticket, event: Finished) -> None:
        """Start the acknowledgement's clock."""
        if event.response.outcome.is_approval and not event.replayed:
            ticket.clock = self.session.deadlines.after(
                self._options.acknowledge_within_s,
                lambda: self._expire(ticket),
                f"voiding {ticket.request.key.text}, which was not acknowledged,",
            )
        self._prune()

    def _expire(self, ticket: _Ticket) -> None:
        if ticket.sale is not None and ticket.sale.settle(learned=False):
            _log.warning("%s was not acknowledged in time and is voided", ticket.request.key.text)
            self._tell(self._view_of(ticket))

    def _tell(self, view: DeskView) -> None:
        if self._on_change is None:
            return
        try:
            self._on_change(view)
        except Exception:
            _log.exception("a listener of %s failed", view.request.key.text)

    def view(self, key: ExchangeKey) -> DeskView:
        """A payment as it stands; raises RecordNotFound."""
        with self._lock:
            ticket = self._tickets.get(key)
        if ticket is not None:
            return self._view_of(ticket)
        record = self.session.host.find(key)
        if record is None:
            raise RecordNotFound("no payment has this id")
        return DeskView(record.request, final_response(record), record.settlement)

    def _view_of(self, ticket: _Ticket) -> DeskView:
        response = ticket.response
        if response is None:
            return DeskView(ticket.request, None, Settlement.NONE, ticket.step)
        return self._view_with(ticket, response)

    def _view_with(self, ticket: _Ticket, response: PaymentResponse) -> DeskView:
        open_ended = response.outcome.is_approval or response.outcome is Outcome.PROVIDER_UNKNOWN
        record = self.session.host.find(ticket.request.key) if open_ended else None
        if record is None:
            return DeskView(ticket.request, response, Settlement.NONE, ticket.step)
        return DeskView(ticket.request, final_response(record) or response, record.settlement, ticket.step)

    def wait(self, key: ExchangeKey, timeout_s: float) -> DeskView:
        """The payment once it ended, or as it stands after `timeout_s`; raises RecordNotFound."""
        with self._lock:
            ticket = self._tickets.get(key)
        if ticket is None:
            return self.view(key)
        ticket.ended.wait(timeout_s)
        return self._view_of(ticket)

    def cancel(self, key: ExchangeKey) -> DeskView:
        """Ask a running payment to stop; an approval not yet acknowledged is voided."""
        with self._lock:
            ticket = self._tickets.get(key)
        if ticket is None or ticket.sale is None:
            return self._settle_record(key, learned=False)
        if not ticket.sale.cancel() and ticket.sale.settle(learned=False):
            ticket.stop_clock()
            self._tell(self._view_of(ticket))
        return self._view_of(ticket)

    def telling(self, key: ExchangeKey) -> None:
        """The till is given this approval now; raises NotToBeTold where it must not be."""
        with self._lock:
            ticket = self._tickets.get(key)
        sale = ticket.sale if ticket is not None else None
        if sale is not None and not sale.replayed and sale.is_settled:
            return
        self.session.telling(key)

    def acknowledge(self, key: ExchangeKey, *, learned: bool) -> DeskView:
        """The till has learned of the approval (capture), or gives it up (void); raises RecordNotFound."""
        with self._lock:
            ticket = self._tickets.get(key)
        if ticket is None or ticket.sale is None or ticket.sale.replayed:
            return self._settle_record(key, learned=learned)
        if ticket.sale.settle(learned=learned):
            ticket.stop_clock()
            self._tell(self._view_of(ticket))
        return self._view_of(ticket)

    def _settle_record(self, key: ExchangeKey, *, learned: bool) -> DeskView:
        view = self.view(key)
        if view.settlement is Settlement.PENDING and view.response and view.response.transaction:
            self.session.host.acknowledge(view.response.transaction, learned)
        return self.view(key)

    def _forget(self, key: ExchangeKey) -> None:
        with self._lock:
            self._tickets.pop(key, None)

    def _prune(self) -> None:
        """Old tickets leave memory once their money is settled; the host's records answer for them."""
        with self._lock:
            for key, ticket in list(self._tickets.items()):
                if len(self._tickets) <= self._options.remembered:
                    return
                if ticket.sale is not None and ticket.sale.is_settled:
                    del self._tickets[key]
