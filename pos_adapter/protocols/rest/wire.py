"""The REST wire's routes: create, status, acknowledge, cancel, refund, events, terminal, totals.

A payment's id is made from till and idempotency key, so that the same key finds the same payment even
after a restart. The till has learned of an approval when it posts to `acknowledgement`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import resources

from pos_adapter.desk import DeskOptions, DeskView, PaymentDesk
from pos_adapter.errors import BadRequest, KeyReused, PosError
from pos_adapter.http_messages import HttpRequest, HttpResponse, HttpRoute
from pos_adapter.protocols.rest.documents import (
    load_object,
    money_of,
    payment_document,
    payment_request_of,
    refund_document,
    text_of,
    totals_document,
)
from pos_adapter.protocols.rest.events import EventLog
from pos_adapter.protocols.rest.outcomes import STATUSES
from pos_adapter.protocols.rest.problems import Problem, problem_of, problem_of_status
from pos_adapter.protocols.rest.webhooks import Webhook, WebhookSender
from pos_adapter.session import TransactionSession
from pos_adapter.types import ExchangeKey, Outcome, RefundRequest, TransactionId

WIRE = "rest"
LONGEST_WAIT_S = 60.0
_PAYMENT = "/v1/payments/<payment>"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One till's key, at least 20 characters; `may_refund` is for the manager's till."""

    till: str
    secret: str = field(repr=False)
    may_refund: bool = True

    def __post_init__(self) -> None:
        if len(self.secret) < 20 or not self.secret.isascii():
            raise BadRequest(f"the API key of till {self.till!r} needs at least 20 ASCII characters")


@dataclass(frozen=True, slots=True)
class RestOptions:
    """Who may speak, in which currencies, and how much."""

    keys: tuple[ApiKey, ...]
    terminal: str = "facepay"
    currencies: frozenset[str] = frozenset({"EUR"})
    webhooks: tuple[Webhook, ...] = ()
    webhook_pauses_s: tuple[float, ...] = (1.0, 5.0, 25.0, 120.0, 600.0)
    max_body: int = 16 * 1024
    max_streams: int = 8
    desk: DeskOptions = field(default_factory=DeskOptions)


class RestWire:
    """Answers tills over HTTP; a context manager that runs its webhooks.

    Enter it after the server, so that its event streams end before the server stops.
    """

    name = WIRE

    def __init__(self, session: TransactionSession, options: RestOptions) -> None:
        self.max_body = options.max_body
        self.events = EventLog()
        self._options = options
        self._host = session.host
        self._desk = PaymentDesk(session, options.desk, on_change=self._publish)
        self._sender = WebhookSender(options.webhooks, pauses_s=options.webhook_pauses_s)
        self._streams = threading.BoundedSemaphore(options.max_streams)
        self._bodies: dict[ExchangeKey, bytes] = {}
        self._running = ExitStack()

    def __enter__(self) -> RestWire:
        self._running.enter_context(self._sender)
        self._running.callback(self.events.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _publish(self, view: DeskView) -> None:
        self._sender.send(self.events.publish(view))

    def routes(self) -> list[HttpRoute]:
        """Everything under `/v1`, the contract and the descriptions of problems."""
        table: list[tuple[str, str, Callable[[HttpRequest, ApiKey], HttpResponse]]] = [
            ("POST", "/v1/payments", self._create),
            ("GET", _PAYMENT, self._show),
            ("POST", f"{_PAYMENT}/acknowledgement", self._acknowledge),
            ("POST", f"{_PAYMENT}/cancellation", self._cancel),
            ("POST", f"{_PAYMENT}/refunds", self._refund),
            ("GET", f"{_PAYMENT}/events", self._stream),
            ("GET", "/v1/events", self._stream),
            ("GET", "/v1/terminal", self._terminal),
            ("GET", "/v1/totals", self._totals),
            ("POST", "/v1/totals", self._totals),
        ]
        guarded = [HttpRoute(method, rule, self._guard(answer)) for method, rule, answer in table]
        return [
            *guarded,
            HttpRoute("GET", "/openapi.json", lambda _: HttpResponse(200, openapi_document())),
            HttpRoute("GET", "/problems/<slug>", _describe),
        ]

    def refuse(self, status: int, detail: str) -> HttpResponse:
        """An error of the HTTP link as a problem document."""
        return problem_of_status(status).response(detail)

    def _guard(
        self, answer: Callable[[HttpRequest, ApiKey], HttpResponse]
    ) -> Callable[[HttpRequest], HttpResponse]:
        def guarded(request: HttpRequest) -> HttpResponse:
            key = self._find_key(request)
            if key is None:
                challenge = (("WWW-Authenticate", "Bearer"),)
                return Problem.UNAUTHENTICATED.response("send Authorization: Bearer <API key>", challenge)
            try:
                return answer(request, key)
            except PosError as error:
                return problem_of(error).response(str(error))

        return guarded

    def _find_key(self, request: HttpRequest) -> ApiKey | None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        offered = given.strip().encode("utf-8", "surrogateescape")
        # Every key is compared, so that the time taken tells nothing.
        same = [key for key in self._options.keys if hmac.compare_digest(key.secret.encode(), offered)]
        return same[0] if same and scheme.lower() == "bearer" else None

    # -- payments ----------------------------------------------------------------------------------

    def _create(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        identity = self._identify(request, key, "")
        if isinstance(identity, HttpResponse):
            return identity
        if (refusal := _require_json(request)) is not None:
            return refusal
        order = payment_request_of(load_object(request.body, _CREATE_MEMBERS), identity)
        if order.amount.currency not in self._options.currencies:
            raise BadRequest(f"{order.amount.currency} is not taken here")
        view = self._desk.start(order)
        if view.response is None and (seconds := _wait_of(request)) > 0:
            view = self._desk.wait(identity, seconds)
        location = ("Location", f"/v1/payments/{identity.exchange}")
        return self._payment(view, location)

    def _payment(self, view: DeskView, *headers: tuple[str, str]) -> HttpResponse:
        if view.response is not None and view.response.outcome is Outcome.BUSY:
            return Problem.BUSY.response("try again when the running sale has ended")
        status = 202 if view.response is None else STATUSES[view.response.outcome]
        return _json(payment_document(view), status=status, headers=headers)

    def _show(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        identity = self._key_of(request, key)
        view = self._desk.wait(identity, _wait_of(request))
        return _json(payment_document(view))

    def _acknowledge(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        learned = True
        if request.body:
            members = load_object(request.body, {"learned"})
            value = members.get("learned", True)
            if not isinstance(value, bool):
                raise BadRequest("learned is true or false")
            learned = value
        identity = self._key_of(request, key)
        if self._desk.view(identity).response is None:
            return Problem.STATE.response("the payment is still running; cancel it instead")
        return _json(payment_document(self._desk.acknowledge(identity, learned=learned)))

    def _cancel(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        return _json(payment_document(self._desk.cancel(self._key_of(request, key))), status=202)

    def _refund(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        if not key.may_refund:
            return Problem.FORBIDDEN.response("refunds need the API key of a manager's till")
        payment = self._key_of(request, key)
        identity = self._identify(request, key, f"refund/{payment.exchange}")
        if isinstance(identity, HttpResponse):
            return identity
        order = self._refund_order(request, identity, self._desk.view(payment))
        self._require_same_body(identity, request.body)
        done = self._host.refund(order)
        return _json(refund_document(identity.exchange, payment.exchange, done), status=201)

    def _refund_order(self, request: HttpRequest, identity: ExchangeKey, view: DeskView) -> RefundRequest:
        members = load_object(request.body or b"{}", {"amount", "reason"})
        transaction = view.response.transaction if view.response else None
        if transaction is None:
            raise BadRequest("only an approved payment can be refunded")
        amount = money_of(members["amount"]) if members.get("amount") is not None else None
        reason = text_of(members, "reason", 128)
        return RefundRequest(identity, TransactionId(transaction), amount=amount, reason=reason)

    def _require_same_body(self, key: ExchangeKey, body: bytes) -> None:
        digest = hashlib.sha256(body).digest()
        while len(self._bodies) > 4096:
            self._bodies.pop(next(iter(self._bodies)))
        if self._bodies.setdefault(key, digest) != digest:
            raise KeyReused("the idempotency key was used for another refund")

    # -- news and figures --------------------------------------------------------------------------

    def _stream(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        payment = request.parameters.get("payment")
        last = request.headers.get("last-event-id")
        start = self.events.position_of(last) if last else (0 if payment else self.events.newest)
        if payment is not None:
            self._desk.view(self._key_of(request, key))
        if not self._streams.acquire(blocking=False):
            return Problem.UNAVAILABLE.response("too many event streams are open", (("Retry-After", "5"),))
        pieces = _Stream(self.events.stream(start, key.till, payment), self._streams.release)
        return HttpResponse(200, pieces, "text/event-stream", (("Cache-Control", "no-store"),))

    def _terminal(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        return _json({"terminal": self._options.terminal, "status": self._host.status().value})

    def _totals(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        return _json(totals_document(self._host.totals(close=request.method == "POST")))

    # -- keys --------------------------------------------------------------------------------------

    def _key_of(self, request: HttpRequest, key: ApiKey) -> ExchangeKey:
        return ExchangeKey(WIRE, self._options.terminal, key.till, request.parameters["payment"][:64])

    def _identify(self, request: HttpRequest, key: ApiKey, use: str) -> ExchangeKey | HttpResponse:
        """The recovery key from till, idempotency key and use; a problem when the header is missing."""
        given = request.headers.get("idempotency-key", "").strip().strip('"')
        if not 1 <= len(given) <= 128 or not given.isascii() or not given.isprintable():
            return Problem.KEY_MISSING.response("send Idempotency-Key with 1 to 128 printable characters")
        digest = hashlib.sha256("\0".join((key.till, use, given)).encode()).digest()
        exchange = base64.urlsafe_b64encode(digest[:15]).decode("ascii")
        return ExchangeKey(WIRE, self._options.terminal, key.till, exchange)


class _Stream:
    """An event stream that gives its place back when it is closed, begun or not."""

    def __init__(self, pieces: Iterator[bytes], release: Callable[[], None]) -> None:
        self._pieces = pieces
        self._release = ExitStack()
        self._release.callback(release)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Called by the server when the till hangs up or the stream ends."""
        self._release.close()


_CREATE_MEMBERS = frozenset({"amount", "reference", "operator", "partial_from", "timeout_s"})


def _require_json(request: HttpRequest) -> HttpResponse | None:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return None if kind == "application/json" else Problem.MEDIA.response("the body is application/json")


def _wait_of(request: HttpRequest) -> float:
    """Seconds from `Prefer: wait=<n>` (RFC 7240), at most a minute."""
    for preference in request.headers.get("prefer", "").split(","):
        name, _, value = preference.strip().partition("=")
        if name.lower() == "wait" and value.isascii() and value.isdigit() and len(value) < 6:
            return min(float(value), LONGEST_WAIT_S)
    return 0.0


def _json(document: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> HttpResponse:
    return HttpResponse(status, json.dumps(document).encode(), headers=headers)


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
