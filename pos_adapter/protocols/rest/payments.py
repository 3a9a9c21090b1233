"""What a till does with payments on REST: create, show, acknowledge, cancel, refund.

A payment's id is made from till and idempotency key, so that the same key finds the same payment even
after a restart. The till has learned of an approval when it posts to `acknowledgement`. What the face did
not pay goes to the card terminal, where there is one, and is asked of it from then on.
"""

from __future__ import annotations

import hashlib
import json
import time

from pos_adapter.desk import DeskView, PaymentDesk
from pos_adapter.errors import BadRequest, KeyReused, RecordNotFound, UpstreamUnreachable
from pos_adapter.http_messages import HttpRequest, HttpResponse
from pos_adapter.http_upstream import HttpUpstream
from pos_adapter.protocols.rest.documents import (
    load_object,
    money_of,
    payment_document,
    payment_request_of,
    refund_document,
    text_of,
)
from pos_adapter.protocols.rest.forward import CardSide, Document, Handover
from pos_adapter.protocols.rest.headers import find_exchange, is_json, wait_of
from pos_adapter.protocols.rest.news import News
from pos_adapter.protocols.rest.options import ApiKey, RestOptions
from pos_adapter.protocols.rest.outcomes import STATUSES
from pos_adapter.protocols.rest.problems import Problem
from pos_adapter.session import TransactionSession
from pos_adapter.types import (
    ExchangeKey,
    Outcome,
    PaymentRequest,
    ProgressStep,
    RefundRequest,
    Settlement,
    TransactionId,
)
from pos_adapter.upstream import FALL_BACK

WIRE = "rest"
_CREATE_MEMBERS = frozenset({"amount", "reference", "operator", "partial_from", "timeout_s"})
_REMEMBERED_REFUNDS = 4096


class Payments:
    """The payment routes; every method takes a till's request and its key and answers it."""

    def __init__(
        self, session: TransactionSession, options: RestOptions, news: News, upstream: HttpUpstream | None
    ) -> None:
        self._options = options
        self._host = session.host
        self._news = news
        self._desk = PaymentDesk(session, options.desk, on_change=self._hear)
        self._card = CardSide(upstream, session, self._ended_by_card) if upstream else None
        self._refunds: dict[ExchangeKey, bytes] = {}

    # -- news of the desk and of the card terminal -------------------------------------------------

    def _hear(self, view: DeskView) -> None:
        response = view.response
        if self._card is None or response is None:
            self._news.tell(view)
        elif response.outcome in FALL_BACK and self._card.take(view.request.key):
            self._news.tell(_forwarded(view.request))
        else:
            self._card.dismiss(view.request.key)
            self._news.tell(view)

    def _ended_by_card(self, key: ExchangeKey, document: Document | None) -> None:
        if document is None:
            self._news.tell(self._desk.view(key))
        else:
            self._news.tell_card(key, document)

    # -- routes ------------------------------------------------------------------------------------

    def create(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        """`POST /v1/payments`."""
        identity = self._identify(request, key, "")
        if isinstance(identity, HttpResponse):
            return identity
        if not is_json(request):
            return Problem.MEDIA.response("the body is application/json")
        order = payment_request_of(load_object(request.body, _CREATE_MEMBERS), identity)
        if order.amount.currency not in self._options.currencies:
            raise BadRequest(f"{order.amount.currency} is not taken here")
        return self._start(request, order)

    def _start(self, request: HttpRequest, order: PaymentRequest) -> HttpResponse:
        deadline = time.monotonic() + wait_of(request)
        known = self.find_handover(order.key.exchange)
        if known is not None and known.answered.is_set():
            return self.relay(known, request)
        if self._card is not None and known is None:
            self._card.expect(order.key, request)
        try:
            view = self._desk.start(order)
        except BaseException:
            self._dismiss(order.key)
            raise
        if view.response is not None:
            self._dismiss(order.key)
        elif deadline > time.monotonic():
            view = self._desk.wait(order.key, deadline - time.monotonic())
        handover = self.find_handover(order.key.exchange)
        if handover is not None:
            return self._await_card(handover, order, deadline)
        return self._answer(view)

    def _await_card(self, handover: Handover, order: PaymentRequest, deadline: float) -> HttpResponse:
        handover.answered.wait(max(deadline - time.monotonic(), 0.0))
        if handover.answer is not None:
            return handover.answer
        if handover.refused:
            return self._answer(self._desk.view(order.key))
        return self._answer(_forwarded(order))

    def _answer(self, view: DeskView) -> HttpResponse:
        if view.response is not None and view.response.outcome is Outcome.BUSY:
            return Problem.BUSY.response("try again when the running sale has ended")
        status = 202 if view.response is None else STATUSES[view.response.outcome]
        location = ("Location", f"/v1/payments/{view.request.key.exchange}")
        return json_response(payment_document(view), status=status, headers=(location,))

    def show(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        """`GET /v1/payments/<payment>`."""
        deadline = time.monotonic() + wait_of(request)
        view = self._desk.wait(self.key_of(request, key), wait_of(request))
        handover = self.find_handover(request.parameters["payment"])
        if handover is not None:
            return self.by_card(handover, request, deadline)
        if self._card is not None and view.response is not None and view.response.outcome in FALL_BACK:
            return self._asked_after_a_restart(request) or json_response(payment_document(view))
        return json_response(payment_document(view))

    def _asked_after_a_restart(self, request: HttpRequest) -> HttpResponse | None:
        """What the card terminal knows of a payment that the face did not make, before a restart."""
        try:
            answer = self.pass_on(request)
        except (RecordNotFound, UpstreamUnreachable):
            return None
        return answer if answer.status == 200 else None

    def acknowledge(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        """`POST /v1/payments/<payment>/acknowledgement`."""
        learned = True
        if request.body:
            value = load_object(request.body, {"learned"}).get("learned", True)
            if not isinstance(value, bool):
                raise BadRequest("learned is true or false")
            learned = value
        identity = self.key_of(request, key)
        if self._desk.view(identity).response is None:
            return Problem.STATE.response("the payment is still running; cancel it instead")
        return json_response(payment_document(self._desk.acknowledge(identity, learned=learned)))

    def cancel(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        """`POST /v1/payments/<payment>/cancellation`."""
        return json_response(payment_document(self._desk.cancel(self.key_of(request, key))), status=202)

    def refund(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        """`POST /v1/payments/<payment>/refunds`."""
        if not key.may_refund:
            return Problem.FORBIDDEN.response("refunds need the API key of a manager's till")
        payment = self.key_of(request, key)
        identity = self._identify(request, key, f"refund/{payment.exchange}")
        if isinstance(identity, HttpResponse):
            return identity
        order = self._refund_order(request, identity, self._desk.view(payment))
        self._require_same_body(identity, request.body)
        done = self._host.refund(order)
        return json_response(refund_document(identity.exchange, payment.exchange, done), status=201)

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
        while len(self._refunds) > _REMEMBERED_REFUNDS:
            self._refunds.pop(next(iter(self._refunds)))
        if self._refunds.setdefault(key, digest) != digest:
            raise KeyReused("the idempotency key was used for another refund")

    def require(self, request: HttpRequest, key: ApiKey) -> None:
        """Raises RecordNotFound unless the till has this payment."""
        self._desk.view(self.key_of(request, key))

    # -- the card terminal -------------------------------------------------------------------------

    def find_handover(self, payment: str) -> Handover | None:
        """The payment at the card terminal, by our id or its own."""
        return self._card.find(payment) if self._card is not None else None

    def by_card(self, handover: Handover, request: HttpRequest, deadline: float = 0.0) -> HttpResponse:
        """A request about a payment that was handed over; a question waits for the first answer."""
        if request.method == "GET" and not handover.answered.wait(max(deadline - time.monotonic(), 0.0)):
            order = self._desk.view(handover.key).request
            return json_response(payment_document(_forwarded(order)))
        return self.relay(handover, request)

    def relay(self, handover: Handover, request: HttpRequest) -> HttpResponse:
        """The card terminal's answer; raises UpstreamUnreachable."""
        if self._card is None:
            raise UpstreamUnreachable("there is no card terminal behind this one")
        return self._card.relay(handover, request)

    def pass_on(self, request: HttpRequest) -> HttpResponse:
        """Ask the card terminal what this terminal does not know.

        Raises:
            RecordNotFound: there is none. UpstreamUnreachable: it does not answer.
        """
        if self._card is None:
            raise RecordNotFound("no payment has this id")
        return self._card.pass_on(request)

    def _dismiss(self, key: ExchangeKey) -> None:
        if self._card is not None:
            self._card.dismiss(key)

    # -- keys --------------------------------------------------------------------------------------

    def key_of(self, request: HttpRequest, key: ApiKey) -> ExchangeKey:
        """The recovery key of the payment in the path."""
        return ExchangeKey(WIRE, self._options.terminal, key.till, request.parameters["payment"][:64])

    def _identify(self, request: HttpRequest, key: ApiKey, use: str) -> ExchangeKey | HttpResponse:
        """The recovery key from till, idempotency key and use; a problem when the header is missing."""
        exchange = find_exchange(request, key.till, use)
        if exchange is None:
            return Problem.KEY_MISSING.response("send Idempotency-Key with 1 to 128 printable characters")
        return ExchangeKey(WIRE, self._options.terminal, key.till, exchange)


def _forwarded(request: PaymentRequest) -> DeskView:
    """How a payment stands while the card terminal has the shopper."""
    return DeskView(request, None, Settlement.NONE, ProgressStep.FORWARDED)


def json_response(
    document: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()
) -> HttpResponse:
    """An answer with a JSON document."""
    return HttpResponse(status, json.dumps(document).encode(), headers=headers)
