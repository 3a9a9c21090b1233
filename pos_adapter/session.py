"""The transaction session: one payment at a time, driven by any wire.

Rules it keeps: a repeated key is answered from the record; a second sale is told busy; money is only
captured when the till has learned of the approval and is voided otherwise (`sale` says how).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Self

from pos_adapter.base import TillHost
from pos_adapter.deadlines import Deadlines
from pos_adapter.errors import KeyReused, PosError, RequestInProgress
from pos_adapter.sale import Sale, SaleContext, SaleListener, SessionOptions, final_response, utc_now
from pos_adapter.types import ExchangeKey, Outcome, PaymentRecord, PaymentRequest, Settlement, TerminalStatus

_log = logging.getLogger(__name__)


class TransactionSession:
    """Admits payments to one host; share one among all wires of a terminal."""

    def __init__(
        self,
        host: TillHost,
        *,
        options: SessionOptions | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.host = host
        self.options = options or SessionOptions()
        self.now = now
        self.deadlines = Deadlines()
        self._began = now()
        self._slot = threading.Lock()
        self._context = SaleContext(host, self.options, now, self._slot.release)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Close after the wires: what still waits for a till is settled at the next start."""
        self.deadlines.close()

    def begin(self, request: PaymentRequest, listener: SaleListener) -> Sale:
        """Start a payment in its own thread, or answer a repeated key from its record.

        Raises:
            KeyReused: the key was used for another request.
            RequestInProgress: the same request is still running.
        """
        sale = Sale(self._context, request, listener)
        try:
            record = self.host.find(request.key)
        except PosError:
            raise
        except Exception:
            _log.exception("records cannot be read; %s is not started", request.key.text)
            sale.finish(self._context.answer(request, Outcome.FAILURE))
            return sale
        if record is not None:
            self._replay(record, request, sale)
        elif not self._slot.acquire(blocking=False):
            sale.finish(self._context.answer(request, Outcome.BUSY))
        else:
            sale.start()
        return sale

    def _replay(self, record: PaymentRecord, request: PaymentRequest, sale: Sale) -> None:
        if not record.request.same_as(request):
            raise KeyReused("this key was used for another payment request")
        response = final_response(record)
        if response is None:
            raise RequestInProgress("this payment is still running")
        sale.finish(response, replayed=True)

    def telling(self, key: ExchangeKey) -> None:
        """Call it right before the till is given the answer that is recorded for this key.

        Raises:
            NotToBeTold: see `SaleContext.telling`.
        """
        record = self.host.find(key)
        response = final_response(record) if record is not None else None
        if response is not None:
            self._context.telling(response)

    def left_telling(self, wire: str, till: str) -> PaymentRecord | None:
        """The till's newest approval, where an earlier run died while telling it and nobody asked since."""
        try:
            record = self.host.latest(wire, till)
        except Exception:
            _log.exception("the records cannot be read")
            return None
        response = record.response if record is not None else None
        if record is None or response is None or not response.outcome.is_approval:
            return None
        before = response.at < self._began
        return record if before and record.settlement is Settlement.PENDING else None

    @contextmanager
    def occupied(self) -> Iterator[bool]:
        """Keep face sales out while the card terminal has the shopper; False when a sale is running."""
        free = self._slot.acquire(blocking=False)
        try:
            yield free
        finally:
            if free:
                self._slot.release()

    def status(self) -> TerminalStatus:
        """Whether a face sale could start now; a host that cannot tell is out of order."""
        try:
            return self.host.status()
        except Exception:
            _log.exception("the payment host does not tell its status")
            return TerminalStatus.OUT_OF_ORDER
