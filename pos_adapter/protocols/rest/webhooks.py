"""Signed webhooks: each event is posted to the shop's address until it is taken, with growing pauses.

Deliveries live in memory: after a restart a till asks for its payment's status instead. Redirects are
not followed, and plain HTTP is only for this machine.
"""

from __future__ import annotations

import heapq
import http.client
import logging
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pos_adapter.errors import BadRequest
from pos_adapter.protocols.rest.events import PROGRESS, Event
from pos_adapter.protocols.rest.signature import secret_bytes, sign

_log = logging.getLogger(__name__)
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
PAUSES_S = (1.0, 5.0, 25.0, 120.0, 600.0)
"""Seconds before each new try; after the last one the event is given up and logged."""
QUEUED = 1000


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a till wants its events. `secret` is `whsec_...`; `till` is whose events it gets."""

    url: str
    till: str
    secret: str = field(repr=False)
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadRequest(f"webhook address {self.url!r} is no http or https URL")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise BadRequest(f"webhook address {self.url!r} leaves this machine without TLS; use https")
        secret_bytes(self.secret)


@dataclass(order=True, slots=True)
class _Delivery:
    due: float
    number: int
    tries: int = field(compare=False)
    hook: Webhook = field(compare=False)
    event: Event = field(compare=False)


class WebhookSender:
    """Posts events from a thread of its own; a context manager."""

    def __init__(
        self,
        hooks: tuple[Webhook, ...],
        *,
        pauses_s: tuple[float, ...] = PAUSES_S,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._hooks = hooks
        self._pauses_s = pauses_s
        self._wall_clock = wall_clock
        self._queue: list[_Delivery] = []
        self._changed = threading.Condition()
        self._number = 0
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def __enter__(self) -> WebhookSender:
        if self._hooks:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(10)

    def send(self, event: Event) -> None:
        """Queue an event for every hook of its till; progress stays with server-sent events."""
        if event.kind == PROGRESS:
            return
        for hook in self._hooks:
            if hook.till == event.key.till:
                self._push(time.monotonic(), 0, hook, event)

    def _push(self, due: float, tries: int, hook: Webhook, event: Event) -> None:
        with self._changed:
            if len(self._queue) >= QUEUED:
                _log.error("webhook queue is full; %s is dropped", event.identifier)
                return
            self._number += 1
            heapq.heappush(self._queue, _Delivery(due, self._number, tries, hook, event))
            self._changed.notify_all()

    def _run(self) -> None:
        while (delivery := self._next()) is not None:
            if self._post(delivery.hook, delivery.event):
                continue
            if delivery.tries >= len(self._pauses_s):
                _log.error("webhook %s was never taken by %s", delivery.event.identifier, delivery.hook.url)
                continue
            due = time.monotonic() + self._pauses_s[delivery.tries]
            self._push(due, delivery.tries + 1, delivery.hook, delivery.event)

    def _next(self) -> _Delivery | None:
        with self._changed:
            while not self._stopped:
                left = self._queue[0].due - time.monotonic() if self._queue else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._queue)
                self._changed.wait(left)
        return None

    def _post(self, hook: Webhook, event: Event) -> bool:
        """One try; a 2xx answer means taken."""
        parts = urlsplit(hook.url)
        stamp = int(self._wall_clock())
        headers = {
            "content-type": "application/json",
            "webhook-id": event.identifier,
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(hook.secret, event.identifier, stamp, event.body),
        }
        connection = _connection_to(parts.scheme, parts.hostname or "", parts.port, hook.timeout_s)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", target, event.body, headers)
            return 200 <= connection.getresponse().status < 300
        except (OSError, http.client.HTTPException) as error:
            _log.warning("webhook to %s failed: %s", hook.url, error)
            return False
        finally:
            connection.close()


def _connection_to(scheme: str, host: str, port: int | None, timeout_s: float) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)
    return http.client.HTTPConnection(host, port, timeout=timeout_s)
