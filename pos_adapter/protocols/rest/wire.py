"""The REST wire's routes: payments (`payments`), their news (`news`), terminal and totals.

With a card terminal behind this one, what this terminal does not know or cannot do is asked of it, so
that the till's card payments go on when nothing here works but the wire.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from importlib import resources

from pos_adapter.errors import PosError, RecordNotFound, UpstreamUnreachable
from pos_adapter.http_messages import HttpRequest, HttpResponse, HttpRoute
from pos_adapter.http_upstream import HttpUpstream
from pos_adapter.protocols.rest.documents import totals_document
from pos_adapter.protocols.rest.headers import find_key
from pos_adapter.protocols.rest.news import News
from pos_adapter.protocols.rest.options import ApiKey, RestOptions
from pos_adapter.protocols.rest.payments import WIRE, Payments, json_response
from pos_adapter.protocols.rest.problems import Problem, problem_of, problem_of_status
from pos_adapter.session import TransactionSession
from pos_adapter.types import TerminalStatus

_log = logging.getLogger(__name__)
_PAYMENT = "/v1/payments/<payment>"
Answering = Callable[[HttpRequest, ApiKey], HttpResponse]


class RestWire:
    """Answers tills over HTTP; a context manager that runs its webhooks.

    Enter it after the server, so that its event streams end before the server stops.
    """

    name = WIRE

    def __init__(
        self, session: TransactionSession, options: RestOptions, upstream: HttpUpstream | None = None
    ) -> None:
        self.max_body = options.max_body
        self._options = options
        self._session = session
        self._upstream = upstream
        self._news = News(options)
        self._payments = Payments(session, options, self._news, upstream)

    def __enter__(self) -> RestWire:
        self._news.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._news.__exit__(*_)

    def routes(self) -> list[HttpRoute]:
        """Everything under `/v1`, the contract and the descriptions of problems."""
        payments = self._payments
        of_payment: list[tuple[str, str, Answering]] = [
            ("POST", f"{_PAYMENT}/acknowledgement", payments.acknowledge),
            ("POST", f"{_PAYMENT}/cancellation", payments.cancel),
            ("POST", f"{_PAYMENT}/refunds", payments.refund),
            ("GET", f"{_PAYMENT}/events", self._stream),
        ]
        others: list[tuple[str, str, Answering]] = [
            ("POST", "/v1/payments", payments.create),
            ("GET", _PAYMENT, payments.show),
            ("GET", "/v1/events", self._stream),
            ("GET", "/v1/terminal", self._terminal),
            ("GET", "/v1/totals", self._totals),
            ("POST", "/v1/totals", self._totals),
        ]
        return [
            *(HttpRoute(m, rule, self._guard(self._where_it_is(answer))) for m, rule, answer in of_payment),
            *(HttpRoute(method, rule, self._guard(answer)) for method, rule, answer in others),
            HttpRoute("GET", "/openapi.json", lambda _: HttpResponse(200, openapi_document())),
            HttpRoute("GET", "/problems/<slug>", _describe),
        ]

    def refuse(self, status: int, detail: str) -> HttpResponse:
        """An error of the HTTP link as a problem document."""
        return problem_of_status(status).response(detail)

    def _guard(self, answer: Answering) -> Callable[[HttpRequest], HttpResponse]:
        """Only tills with a key; errors become problem documents, unless the card terminal can help."""

        def guarded(request: HttpRequest) -> HttpResponse:
            key = find_key(request, self._options.keys)
            if key is None:
                challenge = (("WWW-Authenticate", "Bearer"),)
                return Problem.UNAUTHENTICATED.response("send Authorization: Bearer <API key>", challenge)
            try:
                return self._or_by_card(request, lambda: answer(request, key))
            except UpstreamUnreachable as error:
                return Problem.UNAVAILABLE.response(str(error))
            except PosError as error:
                return problem_of(error).response(str(error))

        return guarded

    def _or_by_card(self, request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
        """Our answer; the card terminal's where we know nothing of the payment or are broken."""
        try:
            return answer()
        except RecordNotFound:
            if self._upstream is None:
                raise
            return self._upstream.send(request)
        except PosError:
            raise
        except Exception:
            if self._upstream is None:
                raise
            _log.exception("%s %s failed; the card terminal is asked", request.method, request.path)
            return self._upstream.send(request)

    def _where_it_is(self, answer: Answering) -> Answering:
        """Requests about a payment that the card terminal took over go there."""

        def answering(request: HttpRequest, key: ApiKey) -> HttpResponse:
            handover = self._payments.find_handover(request.parameters["payment"])
            return answer(request, key) if handover is None else self._payments.relay(handover, request)

        return answering

    def _stream(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        payment = request.parameters.get("payment")
        if payment is not None:
            self._payments.require(request, key)
        return self._news.stream(request, key.till, payment)

    def _terminal(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        status = self._session.status()
        if status is TerminalStatus.OUT_OF_ORDER and self._upstream is not None:
            with suppress(UpstreamUnreachable):
                return self._upstream.send(request)
        return json_response({"terminal": self._options.terminal, "status": status.value})

    def _totals(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        return json_response(totals_document(self._session.host.totals(close=request.method == "POST")))


def _describe(request: HttpRequest) -> HttpResponse:
    """What a problem's type address tells a reader."""
    for problem in Problem:
        if problem.slug == request.parameters["slug"]:
            text = f"{problem.title} (HTTP {problem.status}).\n"
            return HttpResponse(200, text.encode(), "text/plain; charset=utf-8")
    return Problem.NOT_FOUND.response("no problem has this name")


def openapi_document() -> bytes:
    """The OpenAPI 3.1 document of this wire."""
    return resources.files(__package__).joinpath("openapi.json").read_bytes()
