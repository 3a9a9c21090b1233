"""News for tills: a bounded log of events, read as server-sent events from any point still in it."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from pos_adapter.desk import DeskView
from pos_adapter.protocols.rest.documents import payment_document
from pos_adapter.types import ExchangeKey, Settlement

PROGRESS = "payment.progress"
KEPT = 512
KEEP_ALIVE_S = 5.0


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one payment: `identifier` is unique for ever, `sequence` counts in this process.

    `document` is the payment as tills see it. `is_last` says that nothing more happens to it by itself.
    """

    identifier: str
    sequence: int
    kind: str
    key: ExchangeKey
    document: Mapping[str, object]
    is_last: bool

    @property
    def body(self) -> bytes:
        """The JSON both channels carry."""
        return json.dumps({"id": self.identifier, "type": self.kind, "payment": self.document}).encode()


def kind_of(view: DeskView) -> str:
    """`payment.progress` while it runs, `payment.ended` at the answer, `payment.settled` after it."""
    if view.response is None:
        return PROGRESS
    if view.settlement in (Settlement.NONE, Settlement.PENDING):
        return "payment.ended"
    return "payment.settled"


class EventLog:
    """Keeps the last events; many may read at once."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(6)
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._sequence = 0
        self._changed = threading.Condition()
        self._closed = False

    def publish(self, view: DeskView) -> Event:
        """Add one change."""
        is_last = view.response is not None and view.settlement is not Settlement.PENDING
        return self._add(kind_of(view), view.request.key, payment_document(view), is_last=is_last)

    def publish_card(self, key: ExchangeKey, document: Mapping[str, object]) -> Event:
        """Add the end of a payment that the card terminal has taken over, in its words."""
        return self._add("payment.ended", key, document, is_last=True)

    def _add(self, kind: str, key: ExchangeKey, document: Mapping[str, object], *, is_last: bool) -> Event:
        with self._changed:
            self._sequence += 1
            identifier = f"evt_{self._prefix}_{self._sequence}"
            event = Event(identifier, self._sequence, kind, key, document, is_last)
            self._events.append(event)
            self._changed.notify_all()
        return event

    def close(self) -> None:
        """End all streams."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def newest(self) -> int:
        """Sequence of the newest event."""
        with self._changed:
            return self._sequence

    def after(self, sequence: int, till: str, timeout_s: float) -> list[Event] | None:
        """Events of a till since `sequence`, waiting for one; None once the log is closed."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not self._closed:
                found = [e for e in self._events if e.sequence > sequence and e.key.till == till]
                left = deadline - time.monotonic()
                if found or left <= 0:
                    return found
                self._changed.wait(left)
        return None

    def position_of(self, identifier: str) -> int:
        """Where a `Last-Event-ID` stands; the start of the log when it is not known any more."""
        prefix, _, number = identifier.removeprefix("evt_").partition("_")
        if prefix != self._prefix or not (number.isascii() and number.isdigit() and len(number) < 12):
            return 0
        return int(number)

    def stream(self, sequence: int, till: str, payment: str | None = None) -> Iterator[bytes]:
        """Server-sent events; one payment's stream ends with the payment."""
        yield b": facepay\n\n"
        while (events := self.after(sequence, till, KEEP_ALIVE_S)) is not None:
            if not events:
                yield b": still here\n\n"
            for event in events:
                sequence = event.sequence
                if payment in (None, event.key.exchange):
                    yield (
                        f"id: {event.identifier}\nevent: {event.kind}\ndata: ".encode() + event.body + b"\n\n"
                    )
                    if payment is not None and event.is_last:
                        return


class LimitedStream:
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
