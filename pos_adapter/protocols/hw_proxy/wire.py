"""hw_proxy's routes: hello, handshake, status_json, payment_terminal_transaction_start, and our cancel.

`transactions` says when a till has learned; `origins` says whose pages may call; with another proxy behind
this one (`forward`) its drivers are told too, and calls that are none of ours go there: a page knows one
proxy only, and its printer may hang on the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pos_adapter.desk import DeskView
from pos_adapter.errors import BadRequest, PosError, RecordNotFound, UpstreamUnreachable
from pos_adapter.http_messages import HttpRequest, HttpResponse, HttpRoute
from pos_adapter.http_upstream import HttpUpstream
from pos_adapter.protocols.hw_proxy import origins
from pos_adapter.protocols.hw_proxy.forward import CardSide
from pos_adapter.protocols.hw_proxy.messages import (
    INVALID_REQUEST,
    Call,
    call_of,
    code_of,
    error_body,
    payment_info_of,
    result_body,
)
from pos_adapter.protocols.hw_proxy.options import HwProxyOptions
from pos_adapter.protocols.hw_proxy.transactions import WIRE, Transactions, entry_of, order_entry_of
from pos_adapter.session import TransactionSession
from pos_adapter.types import Outcome, TerminalStatus
from pos_adapter.upstream import FALL_BACK


@dataclass(frozen=True, slots=True)
class _Result:
    """What a call answers, and which payments it told the till were paid."""

    value: object
    paid: tuple[str, ...] = ()


_Answering = Callable[[Call, HttpRequest], "_Result | HttpResponse"]


class HwProxyWire:
    """Answers Odoo's browsers; a context manager that watches over unasked payments."""

    name = WIRE

    def __init__(
        self,
        session: TransactionSession,
        options: HwProxyOptions | None = None,
        upstream: HttpUpstream | None = None,
    ) -> None:
        self._options = options or HwProxyOptions()
        self.max_body = self._options.max_body
        self._session = session
        unasked_s = self._options.unasked_s
        self._card = CardSide(upstream, session, unasked_s=unasked_s) if upstream else None
        self._kept: dict[str, HttpRequest] = {}
        self._transactions = Transactions(
            session, self._options, on_end=self._ended, on_forget=self._forget, is_by_card=self._is_by_card
        )

    def __enter__(self) -> HwProxyWire:
        self._transactions.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._transactions.__exit__(*_)

    def routes(self) -> list[HttpRoute]:
        """Calls and their preflights; with another proxy behind this one, every other call too."""
        calls: dict[str, _Answering] = {
            "/hw_proxy/handshake": lambda call, request: _Result(True),
            "/hw_proxy/status_json": self._status,
            "/hw_proxy/payment_terminal_transaction_start": self._start,
            "/hw_proxy/payment_terminal_transaction_cancel": self._cancel,
        }
        posts = [HttpRoute("POST", rule, self._answering(answer)) for rule, answer in calls.items()]
        others = [HttpRoute("GET", "/hw_proxy/hello", self._hello)]
        if self._card is not None:
            methods, rule = ("GET", "POST"), "/hw_proxy/<path:call>"
            others += [HttpRoute(method, rule, self._pass_on) for method in methods]
        rules = dict.fromkeys(route.rule for route in (*posts, *others))
        return [*posts, *others, *(HttpRoute("OPTIONS", rule, self._preflight) for rule in rules)]

    def refuse(self, status: int, detail: str) -> HttpResponse:
        """An error of the HTTP link as a JSON-RPC error."""
        return HttpResponse(status, error_body(None, INVALID_REQUEST, detail))

    def _refuse_page(self) -> HttpResponse:
        return self.refuse(403, "this page's origin is not among the terminal's origins")

    def _preflight(self, request: HttpRequest) -> HttpResponse:
        allowed = origins.may_call(request, self._options.origins)
        return origins.preflight(request, self._options.origins) if allowed else self._refuse_page()

    def _hello(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, b"ping", "text/plain", origins.cross_origin(request, self._options.origins))

    def _pass_on(self, request: HttpRequest) -> HttpResponse:
        if self._card is None or not origins.may_call(request, self._options.origins):
            return self._refuse_page()
        try:
            return self._ours_to_read(request, self._card.pass_on(request))
        except UpstreamUnreachable as error:
            return self.refuse(502, str(error))

    def _ours_to_read(self, request: HttpRequest, answer: HttpResponse) -> HttpResponse:
        """The other proxy's answer, with our word on which page may read it."""
        kept = tuple((n, v) for n, v in answer.headers if not n.lower().startswith("access-control-"))
        headers = (*kept, *origins.cross_origin(request, self._options.origins))
        return HttpResponse(answer.status, answer.body, answer.content_type, headers)

    # -- calls -------------------------------------------------------------------------------------

    def _answering(self, answer: _Answering) -> Callable[[HttpRequest], HttpResponse]:
        def answering(request: HttpRequest) -> HttpResponse:
            if not origins.may_call(request, self._options.origins):
                return self._refuse_page()
            headers = origins.cross_origin(request, self._options.origins)
            identifier: object = None
            try:
                call = call_of(request.body)
                identifier = call.identifier
                result = answer(call, request)
            except PosError as error:
                return HttpResponse(200, error_body(identifier, code_of(error), str(error)), headers=headers)
            if isinstance(result, HttpResponse):
                return self._ours_to_read(request, result)
            body = result_body(call, result.value)
            if not result.paid:
                return HttpResponse(200, body, headers=headers)
            paid, peer = list(result.paid), request.peer
            return HttpResponse(
                200,
                body,
                headers=headers,
                before_sent=lambda: self._transactions.telling(paid, peer),
                after_sent=lambda sent: self._transactions.learned(paid, peer) if sent else None,
            )

        return answering

    def _start(self, call: Call, request: HttpRequest) -> _Result | HttpResponse:
        """The transaction to ask about; false makes the till show its retry alert."""
        info = payment_info_of(call.params)
        if info.amount.currency not in self._options.currencies:
            raise BadRequest(f"{info.amount.currency} is not taken here")
        if not info.by_card or self._session.status() is TerminalStatus.OUT_OF_ORDER:
            return self._card.pass_on(request) if self._card is not None else _Result(False)
        key = self._transactions.new_key(info)
        if self._card is not None and self._by_card(key.exchange) is None:
            self._kept[key.exchange] = request
        view = self._transactions.begin(key, info, request.peer)
        if view.response is not None and view.response.outcome is Outcome.BUSY:
            self._transactions.hide(key.exchange)
            return _Result(False)
        return _Result({"transaction_id": key.exchange})

    def _cancel(self, call: Call, request: HttpRequest) -> _Result | HttpResponse:
        """Ours: Odoo's own cancel button never reaches the proxy."""
        identifier = str(call.params.get("transaction_id"))
        if self._card is not None and self._card.cancel(identifier, request):
            return _Result(True)
        if not self._transactions.cancel(identifier):
            if self._card is not None:
                # Begun there while this terminal was out of order.
                return self._card.pass_on(request)
            raise RecordNotFound("no transaction has this id")
        return _Result(True)

    def _status(self, call: Call, request: HttpRequest) -> _Result:
        """All drivers and their transactions, as the till polls them every second."""
        others = self._card.drivers(request) if self._card is not None else {}
        views = self._transactions.ask(request.peer)
        entries = {i: entry_of(i, view) for i, view in views.items()}
        paid = tuple(i for i, entry in entries.items() if entry["success"] is True)
        told = {i: self._by_card(i) or entry for i, entry in entries.items()}
        return _Result({**_beside(others), WIRE: self._driver(views, told)}, paid)

    def _by_card(self, identifier: str) -> dict[str, object] | None:
        return self._card.find(identifier) if self._card is not None else None

    def _is_by_card(self, identifier: str) -> bool:
        """Whether the card terminal has this payment, running or paid."""
        entry = self._by_card(identifier)
        return entry is not None and entry["success"] is not False

    def _driver(
        self, views: Mapping[str, DeskView], entries: Mapping[str, dict[str, object]]
    ) -> dict[str, object]:
        orders: dict[str, list[object]] = {}
        for identifier, view in views.items():
            if entries[identifier]["success"] is True and view.request.reference:
                paid = order_entry_of(view, entries[identifier])
                orders.setdefault(view.request.reference, []).append(paid)
        broken = self._session.status() is TerminalStatus.OUT_OF_ORDER
        return {
            "is_terminal": True,
            "status": "disconnected" if broken else "connected",
            "messages": [],
            "terminal_id": self._options.terminal,
            "transactions": dict(entries),
            "in_transaction": any(entry["success"] is None for entry in entries.values()),
            "latest_transactions": orders,
        }

    # -- the card terminal -------------------------------------------------------------------------

    def _ended(self, view: DeskView) -> None:
        identifier = view.request.key.exchange
        request = self._kept.pop(identifier, None)
        if view.response is None or self._card is None or request is None:
            return
        if view.response.outcome in FALL_BACK:
            self._card.hand_over(identifier, view.request.key.text, request)

    def _forget(self, identifier: str) -> None:
        self._kept.pop(identifier, None)
        if self._card is not None:
            self._card.forget(identifier)


def _beside(drivers: Mapping[str, object]) -> Mapping[str, object]:
    """The other proxy's drivers, under another name where it is one like ours."""
    return {f"card_{name}" if name == WIRE else name: driver for name, driver in drivers.items()}
