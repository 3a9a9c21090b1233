"""Card fallback on REST: the payments that the shop's card terminal has taken over.

The till's own `POST /v1/payments` goes on byte for byte as soon as the face did not pay, whether the till
still waits for its answer or not; from then on whatever it asks about that payment goes there too, with
the card terminal's id in the path where it gave another one, and the answers come back unchanged.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import quote

from pos_adapter.errors import UpstreamUnreachable
from pos_adapter.http_messages import HttpRequest, HttpResponse
from pos_adapter.http_upstream import HttpUpstream, repeated
from pos_adapter.session import TransactionSession
from pos_adapter.types import ExchangeKey

_log = logging.getLogger(__name__)
_OPEN = ("in_progress", "unknown")
_REMEMBERED = 512
_LONGEST_S = 600.0
_PAYMENTS = "/v1/payments"
Document = dict[str, object]
OnEnd = Callable[[ExchangeKey, Document | None], None]
"""Told a payment's last document, or None when the card terminal did not take it."""


class Handover:
    """One payment at the card terminal."""

    def __init__(self, key: ExchangeKey, request: HttpRequest) -> None:
        self.key = key
        self.request = request
        self.answer: HttpResponse | None = None
        self.theirs = ""
        self.refused = False
        self.answered = threading.Event()

    def read(self, answer: HttpResponse) -> Document:
        """The payment's document in an answer, whose id is kept; empty when it holds none."""
        body = answer.body if isinstance(answer.body, bytes) else b""
        try:
            document = json.loads(body)
        except ValueError:
            return {}
        if not isinstance(document, dict):
            return {}
        if isinstance(document.get("id"), str):
            self.theirs = document["id"]
        return document


class CardSide:
    """Hands payments over, each in a thread of its own, and finds them again by either id."""

    def __init__(self, upstream: HttpUpstream, session: TransactionSession, on_end: OnEnd) -> None:
        self._upstream = upstream
        self._session = session
        self._on_end = on_end
        self._lock = threading.Lock()
        self._expected: dict[ExchangeKey, HttpRequest] = {}
        self._handovers: OrderedDict[str, Handover] = OrderedDict()

    def expect(self, key: ExchangeKey, request: HttpRequest) -> None:
        """Keep the till's request while the face is asked."""
        with self._lock:
            self._expected.setdefault(key, request)

    def dismiss(self, key: ExchangeKey) -> None:
        """The face has paid, or the till was refused: nothing is handed over."""
        with self._lock:
            self._expected.pop(key, None)

    def take(self, key: ExchangeKey) -> bool:
        """The face did not pay: hand the kept request over; False when there is none."""
        with self._lock:
            request = self._expected.pop(key, None)
            if request is None:
                return False
            handover = self._handovers[key.exchange] = Handover(key, request)
            while len(self._handovers) > _REMEMBERED:
                self._handovers.popitem(last=False)
        threading.Thread(target=self._carry, args=(handover,), name="rest-card", daemon=True).start()
        return True

    def find(self, payment: str) -> Handover | None:
        """The handover with this id of ours or of the card terminal's, unless it was refused there."""
        with self._lock:
            found = self._handovers.get(payment)
            if found is None:
                found = next((h for h in self._handovers.values() if payment and h.theirs == payment), None)
        return None if found is None or found.refused else found

    def relay(self, handover: Handover, request: HttpRequest) -> HttpResponse:
        """A later request about a payment that was handed over; raises UpstreamUnreachable."""
        ours, theirs = handover.key.exchange, handover.theirs or self._learn(handover)
        before, _, after = request.target.partition(f"{_PAYMENTS}/{ours}")
        if not before and theirs and ours != theirs and request.target.startswith(f"{_PAYMENTS}/{ours}"):
            request = repeated(request, target=f"{_PAYMENTS}/{quote(theirs)}{after}")
        answer = self._upstream.send(request)
        if request.method == "POST" and request.target.partition("?")[0] == _PAYMENTS:
            handover.read(answer)
        return answer

    def pass_on(self, request: HttpRequest) -> HttpResponse:
        """A request this terminal has no answer to; raises UpstreamUnreachable."""
        return self._upstream.send(request)

    def _learn(self, handover: Handover) -> str:
        """The card terminal's id while its first answer is still awaited: a repeated key tells it at once."""
        handover.read(self._upstream.send(repeated(handover.request, prefer="")))
        return handover.theirs

    def _carry(self, handover: Handover) -> None:
        document: Document | None = None
        with self._session.occupied():
            try:
                answer = handover.answer = self._upstream.ask(handover.request, handover.key.text)
                document = handover.read(answer)
                handover.refused = not 200 <= answer.status < 300
                handover.answered.set()
                document = None if handover.refused else self._follow(handover, document)
            except UpstreamUnreachable as error:
                _log.warning("%s: %s", handover.key.text, error)
                handover.refused = handover.answer is None
        handover.answered.set()
        self._on_end(handover.key, document)

    def _follow(self, handover: Handover, document: Document) -> Document:
        """Ask until the payment has ended: meanwhile the card terminal has the shopper."""
        deadline = time.monotonic() + _LONGEST_S
        target = f"{_PAYMENTS}/{quote(handover.theirs)}"
        ask = repeated(
            handover.request,
            method="GET",
            target=target,
            prefer="wait=20",
            content_type="",
            idempotency_key="",
        )
        while document.get("status") in _OPEN and time.monotonic() < deadline:
            time.sleep(0.05)
            document = handover.read(self._upstream.send(ask))
        return document
