"""hw_proxy's routes: hello, handshake, status_json, payment_terminal_transaction_start, and our cancel.

The till has learned of an approval when a `status_json` that says `success: true` was sent to the
browser that started the payment. The browser's own cancel never reaches us: a payment nobody asks
about any more is cancelled, an approval nobody fetched is voided. `payment_id` is the payment line's and
comes again on a retry: a running or paid one is found again, after a failure a new attempt begins.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pos_adapter.desk import DeskOptions, DeskView, PaymentDesk
from pos_adapter.errors import BadRequest, PosError, RecordNotFound
from pos_adapter.http_messages import HttpRequest, HttpResponse, HttpRoute
from pos_adapter.protocols.hw_proxy.messages import (
    INVALID_REQUEST,
    Call,
    PaymentInfo,
    call_of,
    code_of,
    error_body,
    payment_info_of,
    result_body,
)
from pos_adapter.protocols.hw_proxy.outcomes import ANSWERS, RUNNING
from pos_adapter.session import TransactionSession
from pos_adapter.types import ExchangeKey, Outcome, PaymentRequest, TerminalStatus

WIRE = "hw_proxy"
_CARD = "card"
_SHOWN_AT_MOST = 32
"""Payments a status tells about; a browser asks for its own, begun a moment ago."""


@dataclass(frozen=True, slots=True)
class HwProxyOptions:
    """`origins` are the Odoo addresses whose pages may call, such as `https://shop.example.com`.

    `unasked_s` is how long a payment may go on, or an approval wait, without its browser asking.
    """

    origins: frozenset[str] = frozenset()
    terminal: str = "facepay"
    currencies: frozenset[str] = frozenset({"EUR"})
    unasked_s: float = 15.0
    shown_s: float = 300.0
    max_body: int = 16 * 1024


@dataclass(slots=True)
class _Shown:
    """A payment that `status_json` tells about."""

    key: ExchangeKey
    peer: str
    asked_at: float


class HwProxyWire:
    """Answers Odoo's browsers; a context manager that watches over unasked payments."""

    name = WIRE

    def __init__(
        self,
        session: TransactionSession,
        options: HwProxyOptions | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options or HwProxyOptions()
        self.max_body = self._options.max_body
        self._host = session.host
        # Voiding unasked approvals is the watch's work; the desk's own clock only backs it up.
        self._desk = PaymentDesk(session, DeskOptions(2 * self._options.unasked_s + 5))
        self._clock = clock
        self._lock = threading.Lock()
        self._shown: dict[str, _Shown] = {}
        self._stopped = threading.Event()
        self._watch = threading.Thread(target=self._watch_over, name="hw-proxy-watch", daemon=True)

    def __enter__(self) -> HwProxyWire:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._watch.join(5)

    def routes(self) -> list[HttpRoute]:
        """Calls and their preflights."""
        calls = {
            "/hw_proxy/handshake": lambda call, peer: True,
            "/hw_proxy/status_json": self._status,
            "/hw_proxy/payment_terminal_transaction_start": self._start,
            "/hw_proxy/payment_terminal_transaction_cancel": self._cancel,
        }
        posts = [HttpRoute("POST", rule, self._answering(answer)) for rule, answer in calls.items()]
        hello = HttpRoute("GET", "/hw_proxy/hello", self._hello)
        preflights = [HttpRoute("OPTIONS", route.rule, self._preflight) for route in (*posts, hello)]
        return [hello, *posts, *preflights]

    def refuse(self, status: int, detail: str) -> HttpResponse:
        """An error of the HTTP link as a JSON-RPC error."""
        return HttpResponse(status, error_body(None, INVALID_REQUEST, detail))

    # -- origins -----------------------------------------------------------------------------------

    def _may_call(self, request: HttpRequest) -> bool:
        """A browser names its page's origin; programs that are no browsers name none."""
        origin = request.headers.get("origin")
        return origin is None or origin in self._options.origins

    def _cross_origin(self, request: HttpRequest) -> tuple[tuple[str, str], ...]:
        origin = request.headers.get("origin")
        if origin is None or origin not in self._options.origins:
            return (("Vary", "Origin"),)
        return (("Vary", "Origin"), ("Access-Control-Allow-Origin", origin))

    def _preflight(self, request: HttpRequest) -> HttpResponse:
        if not self._may_call(request):
            return self.refuse(403, "this page's origin is not among the terminal's origins")
        headers = [
            *self._cross_origin(request),
            ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
            ("Access-Control-Allow-Headers", "Content-Type, X-Debug-Mode"),
            ("Access-Control-Max-Age", "600"),
        ]
        if request.headers.get("access-control-request-private-network") == "true":
            headers.append(("Access-Control-Allow-Private-Network", "true"))
        return HttpResponse(204, headers=tuple(headers))

    def _hello(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, b"ping", "text/plain", self._cross_origin(request))

    # -- calls -------------------------------------------------------------------------------------

    def _answering(self, answer: Callable[[Call, str], object]) -> Callable[[HttpRequest], HttpResponse]:
        def answering(request: HttpRequest) -> HttpResponse:
            headers = self._cross_origin(request)
            if not self._may_call(request):
                return self.refuse(403, "this page's origin is not among the terminal's origins")
            identifier: object = None
            try:
                call = call_of(request.body)
                identifier = call.identifier
                result = answer(call, request.peer)
            except PosError as error:
                return HttpResponse(200, error_body(identifier, code_of(error), str(error)), headers=headers)
            after = self._learning(result, request.peer)
            return HttpResponse(200, result_body(call, result), headers=headers, after_sent=after)

        return answering

    def _start(self, call: Call, peer: str) -> object:
        """The transaction to ask about; false makes the till show its retry alert."""
        info = payment_info_of(call.params)
        if info.amount.currency not in self._options.currencies:
            raise BadRequest(f"{info.amount.currency} is not taken here")
        if info.mode != _CARD or self._host.status() is TerminalStatus.OUT_OF_ORDER:
            return False
        view = self._begin(info)
        if view.response is not None and view.response.outcome is Outcome.BUSY:
            return False
        key = view.request.key
        with self._lock:
            self._shown.pop(key.exchange, None)
            while len(self._shown) >= _SHOWN_AT_MOST:
                self._shown.pop(next(iter(self._shown)))
            self._shown[key.exchange] = _Shown(key, peer, self._clock())
        return {"transaction_id": key.exchange}

    def _begin(self, info: PaymentInfo) -> DeskView:
        """The running or paid attempt of this payment line, or a new one after the failed ones."""
        for attempt in itertools.count(1):
            exchange = f"{info.payment}.{attempt}"
            key = ExchangeKey(WIRE, self._options.terminal, "odoo", exchange)
            request = PaymentRequest(key, info.amount, reference=info.order)
            view = self._find(key)
            if view is None:
                return self._desk.start(request)
            if view.response is None or ANSWERS[view.response.outcome][0] is not False:
                # Running, unknown or paid: the desk refuses another amount under the same line.
                return self._desk.start(request)
        raise RecordNotFound("attempts never run out")

    def _find(self, key: ExchangeKey) -> DeskView | None:
        try:
            return self._desk.view(key)
        except RecordNotFound:
            return None

    def _cancel(self, call: Call, peer: str) -> object:
        """Ours: Odoo's own cancel button never reaches the proxy."""
        shown = self._shown.get(str(call.params.get("transaction_id")))
        if shown is None:
            raise RecordNotFound("no transaction has this id")
        self._desk.cancel(shown.key)
        return True

    def _status(self, call: Call, peer: str) -> object:
        """The driver and its transactions, as the till polls them every second."""
        now = self._clock()
        with self._lock:
            shown = dict(self._shown)
        transactions = {}
        for identifier, entry in shown.items():
            if entry.peer == peer:
                entry.asked_at = now
            transactions[identifier] = self._transaction(identifier, self._desk.view(entry.key))
        connected = self._host.status() is not TerminalStatus.OUT_OF_ORDER
        driver = {
            "is_terminal": True,
            "status": "connected" if connected else "disconnected",
            "terminal_id": self._options.terminal,
            "transactions": transactions,
        }
        return {WIRE: driver}

    def _transaction(self, identifier: str, view: DeskView) -> dict[str, object]:
        success, text = ANSWERS[view.response.outcome] if view.response else RUNNING
        paid = view.response if success and view.response else None
        return {
            "transaction_id": identifier,
            "success": success,
            "status": text,
            "status_details": view.response.message if view.response else "",
            "reference": str(paid.transaction) if paid else "",
        }

    # -- the till has learned ----------------------------------------------------------------------

    def _learning(self, result: object, peer: str) -> Callable[[bool], None] | None:
        """Once a status with a success was sent to the browser that started it, the money is captured."""
        driver = result.get(WIRE) if isinstance(result, dict) else None
        if not isinstance(driver, dict):
            return None
        told = [i for i, entry in driver["transactions"].items() if entry["success"] is True]
        mine = [self._shown[i] for i in told if i in self._shown and self._shown[i].peer == peer]

        def learned(sent: bool) -> None:
            for entry in mine if sent else ():
                self._desk.acknowledge(entry.key, learned=True)

        return learned

    def _watch_over(self) -> None:
        while not self._stopped.wait(min(1.0, self._options.unasked_s / 4)):
            now = self._clock()
            with self._lock:
                shown = dict(self._shown)
            for identifier, entry in shown.items():
                unasked = now - entry.asked_at
                if unasked > self._options.unasked_s:
                    self._desk.cancel(entry.key)
                if unasked > self._options.shown_s:
                    with self._lock:
                        self._shown.pop(identifier, None)
