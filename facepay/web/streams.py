"""State as server-sent events: bounded in number and in age, with a heartbeat.

Each open stream holds one thread of the server, so there are at most `limit` of them; the next one is
told to come back and its page polls meanwhile. A stream ends by itself after `age_s` and the browser
reconnects: a half-dead connection cannot hold a thread for ever.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from flask import Response

from facepay.counter import Counter, SaleView
from facepay.web.problems import UNAVAILABLE, PageError

RETRY_MS = 700
HEARTBEAT_S = 5.0
LOOK_S = 0.5
"""How often a stream looks whether the server is closing."""


class Streams:
    """The streams that are open, and how many may be."""

    def __init__(self, limit: int, age_s: float = 300.0, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._places = threading.BoundedSemaphore(limit)
        self._age_s = age_s
        self._heartbeat_s = heartbeat_s
        self._closed = False
        self.limit = limit
        self.open = 0

    def close(self) -> None:
        """Let every stream end soon, so that the server can stop."""
        self._closed = True

    def respond(self, counter: Counter, present: Callable[[SaleView], Mapping[str, object]]) -> Response:
        """Answer with the counter's views, each drawn by `present`.

        Raises:
            PageError: no place is free; the page polls and tries again.
        """
        if not self._places.acquire(blocking=False):
            raise PageError(UNAVAILABLE, "Too many pages watch this terminal.", retry_after_s=5)
        self.open += 1
        released = threading.Event()

        def release() -> None:
            if not released.is_set():
                released.set()
                self.open -= 1
                self._places.release()

        response = Response(self._events(counter, present), content_type="text/event-stream")
        # The stream's end may come before its first byte was asked for; only the response knows both.
        response.call_on_close(release)
        response.headers["X-Accel-Buffering"] = "no"
        return response

    def _events(
        self, counter: Counter, present: Callable[[SaleView], Mapping[str, object]]
    ) -> Iterator[bytes]:
        ends_at = time.monotonic() + self._age_s
        yield f"retry: {RETRY_MS}\n\n".encode()
        beat_at = time.monotonic() + self._heartbeat_s
        for view in counter.subscribe(min(LOOK_S, self._heartbeat_s)):
            now = time.monotonic()
            if now >= ends_at or self._closed:
                return
            if view is not None:
                yield event(present(view), view.revision)
            elif now >= beat_at:
                yield HEARTBEAT
            else:
                continue
            beat_at = now + self._heartbeat_s


HEARTBEAT = b"event: heartbeat\ndata: {}\n\n"
"""An event, not a comment: a page can see it, and notices when it stays away."""


def event(document: Mapping[str, object], revision: int) -> bytes:
    """One view as the bytes of a server-sent event."""
    return f"id: {revision}\nevent: view\ndata: {json.dumps(document)}\n\n".encode()
