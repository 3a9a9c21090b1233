"""One queue a wire session waits on: bytes from its till and news from its payment, in order of arrival."""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import dataclass

from pos_adapter.base import Link
from pos_adapter.errors import LinkClosed, LinkReset, PosError
from pos_adapter.sale import Finished, Progressed

_log = logging.getLogger(__name__)
_READ_SLICE_S = 0.5


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes came from the till."""

    data: bytes


@dataclass(frozen=True, slots=True)
class HungUp:
    """No more bytes will come; `clean` says that the peer ended the connection in order."""

    clean: bool
    reason: str


Item = Received | HungUp | Progressed | Finished


class Inbox:
    """A queue with a deadline; `put` may be called from any thread."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[Item] = queue.SimpleQueue()

    def put(self, item: Item) -> None:
        """Add news."""
        self._items.put(item)

    def get(self, timeout_s: float) -> Item | None:
        """The oldest news, or None when none came in time."""
        try:
            return self._items.get(timeout=max(timeout_s, 0.0))
        except queue.Empty:
            return None


class Pump:
    """Reads a link in its own thread and puts what comes into an inbox; a context manager."""

    def __init__(self, link: Link, inbox: Inbox) -> None:
        self._link = link
        self._inbox = inbox
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pump-{link.peer}", daemon=True)

    def __enter__(self) -> Pump:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(2 * _READ_SLICE_S)

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                data = self._link.read(_READ_SLICE_S)
                if data:
                    self._inbox.put(Received(data))
        except LinkClosed as error:
            self._inbox.put(HungUp(clean=not isinstance(error, LinkReset), reason=str(error)))
        except PosError as error:
            self._inbox.put(HungUp(clean=False, reason=str(error)))
