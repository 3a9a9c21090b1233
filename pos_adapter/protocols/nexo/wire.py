"""The nexo wire over HTTP: `/nexo` and `/nexo/` for tills nearby, `/sync` and `/async` as the cloud has them.

Refusals that concern the message itself are Events that stand in the answer's place. A message that
cannot be opened gets the same answer whatever was wrong with it.
"""

from __future__ import annotations

import hmac
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType

from pos_adapter.errors import (
    AmountNotRepresentable,
    MalformedMessage,
    NotToBeTold,
    PosError,
    Unauthenticated,
    UnknownCurrency,
    UpstreamUnreachable,
)
from pos_adapter.http_messages import HttpRequest, HttpResponse, HttpRoute
from pos_adapter.http_upstream import HttpUpstream
from pos_adapter.protocols.nexo import (
    acquisition,
    answers,
    envelope,
    json_text,
    payments,
    services,
    status,
    totals,
)
from pos_adapter.protocols.nexo.envelope import Message
from pos_adapter.protocols.nexo.header import Header, read_header
from pos_adapter.protocols.nexo.local_encryption import KeyRing
from pos_adapter.protocols.nexo.loyalty import LoyaltyProgramme
from pos_adapter.protocols.nexo.options import NexoOptions
from pos_adapter.protocols.nexo.terminal import Answer, Incoming, Learning, Terminal
from pos_adapter.session import TransactionSession
from pos_adapter.types import TerminalStatus

_log = logging.getLogger(__name__)
TLS_PORT = 8443
_NOTIFY_S = 10.0
_UNKNOWN = Header("Event", "Event", "Notification", "unknown", "unknown")

Action = Callable[[Terminal, Incoming], Answer]

ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "Payment": payments.pay,
        "Abort": status.abort,
        "TransactionStatus": status.tell,
        "Reversal": services.reverse,
        "Reconciliation": totals.reconcile,
        "GetTotals": totals.get_totals,
        "CardAcquisition": acquisition.acquire,
        "EnableService": acquisition.enable_service,
        "Loyalty": acquisition.loyalty,
        "Diagnosis": services.diagnose,
        "Login": services.login,
        "Logout": services.logout,
        "Display": services.without_device("Display", "OutputResult"),
        "Input": services.without_device("Input", "InputResult"),
        "Print": services.without_device("Print", ""),
        "Sound": services.without_device("Sound", ""),
    }
)
"""Every MessageCategory this terminal answers."""

_DEVICES = frozenset({"Display", "Input", "Print", "Sound"})
_TOTALS = frozenset({"Reconciliation", "GetTotals"})
_NEEDS_THE_FACE = frozenset({"Diagnosis", "Login", "Logout", "CardAcquisition", "EnableService", "Loyalty"})
_WITH_RESPONSE_BLOCK = frozenset({*ACTIONS} - {"Display", "Input", "Abort"})


class NexoWire:
    """Answers HTTP requests of tills; `http_link` carries it."""

    name = "nexo"
    max_body = json_text.LONGEST_MESSAGE

    def __init__(
        self,
        session: TransactionSession,
        options: NexoOptions,
        card: HttpUpstream | None = None,
        loyalty: LoyaltyProgramme | None = None,
    ) -> None:
        self._options = options
        self._keys = KeyRing(options.passphrases)
        self._terminal = Terminal(session, options, card, loyalty)

    def routes(self) -> Sequence[HttpRoute]:
        """With and without the slash: clients differ, and none follows a redirect."""
        return (
            HttpRoute("POST", "/nexo", self._local),
            HttpRoute("POST", "/nexo/", self._local),
            HttpRoute("POST", "/sync", self._sync),
            HttpRoute("POST", "/async", self._async),
        )

    def refuse(self, status: int, detail: str) -> HttpResponse:
        """An error of the link, as an Event."""
        return self._reject(_UNKNOWN, detail, b"", status)

    def _local(self, request: HttpRequest) -> HttpResponse:
        return self._answer(request, clear=self._options.clear_allowed)

    def _sync(self, request: HttpRequest) -> HttpResponse:
        if not self._knows_key(request):
            return self._reject(_UNKNOWN, "X-API-Key is missing or wrong", b"", 401)
        return self._answer(request, clear=True)

    def _async(self, request: HttpRequest) -> HttpResponse:
        """Accepted now; the result goes to `notify_url`, and a status request finds it too."""
        if not self._knows_key(request):
            return self._reject(_UNKNOWN, "X-API-Key is missing or wrong", b"", 401)
        opened = self._open(request, clear=True)
        if isinstance(opened, HttpResponse):
            return opened
        message = opened
        threading.Thread(target=self._later, args=(message, request), name="nexo-async", daemon=True).start()
        return HttpResponse(200, b"ok", "text/plain")

    def _knows_key(self, request: HttpRequest) -> bool:
        expected = self._options.api_key.encode("utf-8")
        given = request.headers.get("x-api-key", "").encode("utf-8")
        return bool(expected) and hmac.compare_digest(expected, given)

    def _answer(self, request: HttpRequest, *, clear: bool) -> HttpResponse:
        opened = self._open(request, clear=clear)
        if isinstance(opened, HttpResponse):
            return opened
        answer = self._obey(Incoming(opened, request))
        if isinstance(answer, HttpResponse):
            return answer
        body, learning = self._bytes(opened, answer), answer.learning
        if learning is None:
            return HttpResponse(200, body)
        return HttpResponse(200, body, before_sent=learning.telling, after_sent=learning.learned)

    def _open(self, request: HttpRequest, *, clear: bool) -> Message | HttpResponse:
        """The message, or the answer to what is none."""
        try:
            message = envelope.decode(request.body, self._keys)
        except Unauthenticated as error:
            _log.warning("%s: %s", request.peer, error)
            return self._reject(_header_of(request.body), str(error), request.body, 401)
        except PosError as error:
            _log.warning("%s sent no nexo message: %s", request.peer, error)
            return self._reject(_header_of(request.body), str(error), request.body)
        if message.key is None and not clear:
            return self._reject(message.header, "messages in clear are refused here", request.body, 401)
        if self._options.poi_id and message.header.poi_id != self._options.poi_id:
            return self._reject(message.header, "this is another POIID", request.body)
        if message.header.message_type != "Request":
            return self._reject(message.header, "only requests are taken here", request.body, key=message)
        return message

    def _obey(self, incoming: Incoming) -> Answer | HttpResponse:
        header = incoming.message.header
        if self._is_for_the_card_terminal(header.category):
            with suppress(UpstreamUnreachable):
                return self._terminal.by_card(incoming, header.key.text)
        if header.category not in ACTIONS:
            text = f"MessageCategory {header.category} is not supported"
            return self._reject(header, text, incoming.request.body, key=incoming.message)
        try:
            return ACTIONS[header.category](self._terminal, incoming)
        except (AmountNotRepresentable, UnknownCurrency, MalformedMessage) as error:
            _log.warning("%s refused: %s", header.key.text, error)
            if header.category in _WITH_RESPONSE_BLOCK:
                return Answer(answers.failure(header.category, "MessageFormat", str(error)))
            return self._reject(header, str(error), incoming.request.body, key=incoming.message)
        except PosError as error:
            _log.warning("%s refused: %s", header.key.text, error)
            return Answer(answers.failure(header.category, "NotAllowed", str(error)))
        except Exception:
            _log.exception("%s failed", header.key.text)
            return Answer(answers.failure(header.category, "UnavailableService", "the terminal failed"))

    def _is_for_the_card_terminal(self, category: str) -> bool:
        """What this terminal has no device or word for, and what it cannot do while it is out of order."""
        if self._terminal.card is None:
            return False
        if category not in ACTIONS or category in _DEVICES | _TOTALS:
            return True
        broken = self._terminal.session.status() is TerminalStatus.OUT_OF_ORDER
        return broken and category in _NEEDS_THE_FACE

    def _bytes(self, request: Message, answer: Answer) -> bytes:
        if answer.raw is not None:
            return answer.raw
        if answer.body is None:
            return b""
        reply = Message(request.header.answering(), answer.body, request.key, envelope.RESPONSE)
        return envelope.encode(reply, self._keys)

    def _reject(
        self, header: Header, details: str, rejected: bytes, status: int = 200, *, key: Message | None = None
    ) -> HttpResponse:
        event = Header(
            "Event", "Event", "Notification", header.sale_id, header.poi_id, protocol_version="3.0"
        )
        body = answers.reject(event, details, rejected, self._terminal.session.now())
        reply = Message(event, {"EventNotification": body["EventNotification"]}, key.key if key else None)
        return HttpResponse(status, envelope.encode(reply, self._keys))

    def _later(self, message: Message, request: HttpRequest) -> None:
        answer = self._obey(Incoming(message, replace(request, hung_up=lambda: False)))
        if isinstance(answer, HttpResponse):
            return
        sent, learning = False, answer.learning
        if self._options.notify_url and (answer.body is not None or answer.raw is not None):
            sent = self._deliver(self._bytes(message, answer), learning)
        if learning is not None:
            learning.learned(sent)

    def _deliver(self, body: bytes, learning: Learning | None) -> bool:
        try:
            if learning is not None:
                learning.telling()
        except NotToBeTold:
            _log.exception("the result is not delivered to the notification address")
            return False
        return self._notify(body)

    def _notify(self, body: bytes) -> bool:
        headers = {"Content-Type": "application/json"}
        # The shop's own setting names the address; only http(s) is spoken.
        asked = urllib.request.Request(self._options.notify_url, body, headers, method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(asked, timeout=_NOTIFY_S) as answer:  # noqa: S310
                return 200 <= int(answer.status) < 300
        except (OSError, urllib.error.URLError, ValueError):
            _log.exception("the result could not be delivered to the notification address")
            return False


def _header_of(data: bytes) -> Header:
    """The header of a message that is wrong elsewhere, so that the till recognises the answer."""
    try:
        outer = json_text.decode(data).get(envelope.REQUEST)
        return read_header(outer) if isinstance(outer, dict) else _UNKNOWN
    except PosError:
        return _UNKNOWN
