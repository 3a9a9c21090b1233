"""Tells tills what happened to their payments: server-sent events for listeners, webhooks for the others."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack

from pos_adapter.desk import DeskView
from pos_adapter.http_messages import HttpRequest, HttpResponse
from pos_adapter.protocols.rest.events import EventLog, LimitedStream
from pos_adapter.protocols.rest.options import RestOptions
from pos_adapter.protocols.rest.problems import Problem
from pos_adapter.protocols.rest.webhooks import WebhookSender
from pos_adapter.types import ExchangeKey


class News:
    """Both channels over one log; a context manager that runs the webhooks and ends the streams."""

    def __init__(self, options: RestOptions) -> None:
        self._log = EventLog()
        self._sender = WebhookSender(options.webhooks, pauses_s=options.webhook_pauses_s)
        self._streams = threading.BoundedSemaphore(options.max_streams)
        self._running = ExitStack()

    def __enter__(self) -> News:
        self._running.enter_context(self._sender)
        self._running.callback(self._log.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def tell(self, view: DeskView) -> None:
        """One change of one payment."""
        self._sender.send(self._log.publish(view))

    def tell_card(self, key: ExchangeKey, document: Mapping[str, object]) -> None:
        """The end of a payment that the card terminal has taken over."""
        self._sender.send(self._log.publish_card(key, document))

    def stream(self, request: HttpRequest, till: str, payment: str | None) -> HttpResponse:
        """A till's events, or those of one payment from its beginning; a problem when too many are open."""
        last = request.headers.get("last-event-id")
        start = self._log.position_of(last) if last else (0 if payment else self._log.newest)
        if not self._streams.acquire(blocking=False):
            return Problem.UNAVAILABLE.response("too many event streams are open", (("Retry-After", "5"),))
        pieces = LimitedStream(self._log.stream(start, till, payment), self._streams.release)
        return HttpResponse(200, pieces, "text/event-stream", (("Cache-Control", "no-store"),))
