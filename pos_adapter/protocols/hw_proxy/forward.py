"""Card fallback on hw_proxy: payments the face did not make go to the proxy that drives the card terminal.

The browser's own start request goes on byte for byte. Its polls go on too: the other proxy's drivers are
told beside ours, and a payment that was handed over appears under the id the browser already has.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from pos_adapter.errors import PosError, UpstreamUnreachable
from pos_adapter.http_messages import HttpRequest, HttpResponse
from pos_adapter.http_upstream import HttpUpstream
from pos_adapter.session import TransactionSession

_log = logging.getLogger(__name__)
_POLL_S = 0.5
"""Browsers give a status one second; ours waits at most this long for the other proxy's."""
Transaction = dict[str, object]

TAKES_OVER = "Pay by card at the card terminal"
NOT_TAKEN = "The card terminal did not take the payment"


@dataclass(slots=True)
class Handover:
    """One payment at the other proxy. `theirs` is its transaction id as sent; `last` what it told last."""

    ours: str
    request: HttpRequest
    asked_at: float
    theirs: object = None
    last: Transaction = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)

    def tell(self, success: bool | None, status: str) -> None:
        """Our own words, until the other proxy has some."""
        self.last = {"success": success, "status": status, "status_details": "", "reference": ""}
        if success is not None:
            self.ended.set()


class CardSide:
    """Hands payments over and relays what the other proxy answers."""

    def __init__(
        self,
        upstream: HttpUpstream,
        session: TransactionSession,
        *,
        unasked_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._upstream = upstream
        self._polling = replace(upstream, timeout_s=_POLL_S)
        self._session = session
        self._unasked_s = unasked_s
        self._clock = clock
        self._handovers: dict[str, Handover] = {}

    def pass_on(self, request: HttpRequest) -> HttpResponse:
        """The other proxy's answer to a whole request; raises UpstreamUnreachable."""
        return self._upstream.send(request)

    def hand_over(self, identifier: str, key: str, request: HttpRequest) -> None:
        """Give a payment to the other proxy, in a thread of its own."""
        handover = self._handovers[identifier] = Handover(identifier, request, self._clock())
        handover.tell(None, TAKES_OVER)
        threading.Thread(target=self._carry, args=(handover, key), name="hw-proxy-card", daemon=True).start()

    def forget(self, identifier: str) -> None:
        """The browser no longer asks about it."""
        self._handovers.pop(identifier, None)

    def drivers(self, request: HttpRequest) -> Mapping[str, object]:
        """The other proxy's drivers, asked with the browser's own poll; none when it does not answer."""
        try:
            found = _result_of(self._polling.send(request))
        except UpstreamUnreachable as error:
            _log.info("the other proxy does not tell its status: %s", error)
            return {}
        if not isinstance(found, dict):
            return {}
        for handover in self._handovers.values():
            self._update(handover, found)
        return found

    def find(self, identifier: str) -> Transaction | None:
        """How a payment that was handed over stands, under our id; None when it was not."""
        handover = self._handovers.get(identifier)
        if handover is None:
            return None
        handover.asked_at = self._clock()
        return {**handover.last, "transaction_id": handover.ours}

    def cancel(self, identifier: str, request: HttpRequest) -> bool:
        """Pass a cancel on, with the other proxy's id; False when the payment is not there."""
        handover = self._handovers.get(identifier)
        if handover is None:
            return False
        call = json.loads(request.body)
        if handover.theirs is not None:
            call["params"] = {"transaction_id": handover.theirs}
            self._upstream.send(replace(request, body=json.dumps(call).encode()))
        return True

    def _update(self, handover: Handover, drivers: Mapping[str, object]) -> None:
        for driver in drivers.values():
            told = driver.get("transactions") if isinstance(driver, dict) else None
            for entry in told.values() if isinstance(told, dict) else ():
                if isinstance(entry, dict) and entry.get("transaction_id") == handover.theirs is not None:
                    handover.last = dict(entry)
                    if entry.get("success") is not None:
                        handover.ended.set()

    def _carry(self, handover: Handover, key: str) -> None:
        """Start it there, then keep face sales out while the card terminal has the shopper."""
        with self._session.occupied():
            try:
                result = _result_of(self._upstream.ask(handover.request, key))
            except PosError as error:
                _log.warning("%s: %s", key, error)
                result = None
            if isinstance(result, dict) and result.get("transaction_id") is not None:
                handover.theirs = result["transaction_id"]
            elif result is not True:
                handover.tell(False, NOT_TAKEN)
            # After a bare `true` nobody will ever tell: the cashier reads the card terminal and decides.
            while not handover.ended.wait(0.2) and self._clock() - handover.asked_at < self._unasked_s:
                pass


def _result_of(answer: HttpResponse) -> object:
    if answer.status != 200 or not isinstance(answer.body, bytes):
        raise UpstreamUnreachable(f"the other proxy answers with status {answer.status}")
    try:
        document = json.loads(answer.body)
    except ValueError as error:
        raise UpstreamUnreachable("the other proxy answers what is no JSON") from error
    return document.get("result") if isinstance(document, dict) else None
