"""The till of the demonstration page: one sale at a time, run as any till runs it.

It asks the payment host for the money in a thread of its own and then reports whether the till has
learned of the approval: the page says so when it has shown it. A page that died never says so, and the
money is given back.
"""

from __future__ import annotations

import logging
import secrets
import threading
from dataclasses import dataclass, field

from facepay.counter import Counter, Phase
from facepay.web.problems import CONFLICT, UNAVAILABLE, PageError
from pos_adapter.base import PaymentHost
from pos_adapter.types import ExchangeKey, Money, PaymentRequest, PaymentResponse

log = logging.getLogger(__name__)
WIRE = "page"
LEARN_S = 15.0


@dataclass(slots=True)
class _Sale:
    request: PaymentRequest
    learned: threading.Event = field(default_factory=threading.Event)


class TillDesk:
    """Starts, cancels and acknowledges the page's sales. Safe to call from any thread."""

    def __init__(
        self,
        host: PaymentHost | None,
        counter: Counter,
        terminal: str,
        learn_timeout_s: float = LEARN_S,
    ) -> None:
        self._host = host
        self._counter = counter
        self._terminal = terminal
        self._learn_timeout_s = learn_timeout_s
        self._lock = threading.Lock()
        self._running: _Sale | None = None

    def start(self, amount: Money, reference: str) -> str:
        """Begin a sale and return its exchange id at once.

        Raises:
            PageError: a sale is running, or this terminal takes no payments by face at the moment.
        """
        if self._host is None:
            raise PageError(UNAVAILABLE, "Face pay is out of order. Take the card on the card terminal.")
        key = ExchangeKey(WIRE, self._terminal, "page", secrets.token_hex(8))
        sale = _Sale(PaymentRequest(key, amount.require_payable(), reference))
        with self._lock:
            if self._running is not None:
                raise PageError(CONFLICT, "A sale is running. Finish or cancel it first.")
            self._running = sale
        threading.Thread(target=self._run, args=(self._host, sale), name="till-page", daemon=True).start()
        return key.exchange

    def cancel(self) -> bool:
        """End the running sale; false when there is none."""
        sale = self._running
        if sale is None or self._host is None:
            return False
        self._host.cancel(sale.request.key)
        self._counter.cancel()
        return True

    def learned(self, shown: str) -> bool:
        """The page has shown the approval of the sale `shown`; false when that is not the running one."""
        sale, view = self._running, self._counter.view
        if sale is None or view.sale != shown or view.phase is not Phase.APPROVED:
            return False
        sale.learned.set()
        return True

    def _run(self, host: PaymentHost, sale: _Sale) -> None:
        try:
            response = host.pay(sale.request, lambda step: None)
            self._settle(host, sale, response)
        except Exception:
            # A thread has nobody above it: without this line the failure would be silent. The host
            # settles its own journal at the next start; the cashier keeps the card key.
            log.exception("the sale of the till page failed")
        finally:
            with self._lock:
                self._running = None

    def _settle(self, host: PaymentHost, sale: _Sale, response: PaymentResponse) -> None:
        if response.transaction is None or not response.outcome.is_approval:
            return
        learned = sale.learned.wait(self._learn_timeout_s)
        host.acknowledge(response.transaction, learned)
