"""The shop's card terminal behind this one: it gets the till's bytes and the till gets its answers.

Nothing here needs a camera, a model or a database: a forward is two links and a copy. The journal hook
is told what happens, and a journal that is broken does not stop the card.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from pos_adapter.base import Link
from pos_adapter.errors import LinkClosed, LinkError, UpstreamUnreachable
from pos_adapter.inbox import HungUp, Inbox, Received
from pos_adapter.types import Outcome

_log = logging.getLogger(__name__)
_SLICE_S = 0.2

FALL_BACK: Collection[Outcome] = frozenset(
    {
        Outcome.NO_MATCH,
        Outcome.ATTACK_SUSPECTED,
        Outcome.SHOPPER_CHOSE_CARD,
        Outcome.TIMEOUT,
        Outcome.DECLINED,
        Outcome.DEVICE_DEAD,
        Outcome.PROVIDER_UNREACHABLE,
        Outcome.FAILURE,
    }
)
"""Outcomes after which the card is the way on. Never after an approval, an unknown result or an abort."""


class ForwardState(Enum):
    """What the journal is told about one forward."""

    STARTED = "started"
    ANSWERED = "answered"
    FAILED = "failed"


class ForwardJournal(Protocol):
    """Where forwards are written down."""

    def forwarded(self, key: str, state: ForwardState, detail: str) -> None:
        """One step of the forward of the request with this key text."""


def write_down(journal: ForwardJournal | None, key: str, state: ForwardState, detail: str) -> None:
    """Log and journal one step of a forward; a journal that is broken does not stop the card."""
    _log.info("forward of %s: %s (%s)", key, state.value, detail)
    if journal is None:
        return
    try:
        journal.forwarded(key, state, detail)
    except Exception:
        _log.exception("the journal did not take a forward of %s", key)


@dataclass(frozen=True, slots=True)
class Upstream:
    """How to reach the card terminal.

    `connect` opens a fresh link and raises LinkUnavailable. `quiet_s` is how long the card terminal may
    say nothing. `journal` is optional.
    """

    connect: Callable[[], Link]
    quiet_s: float = 180.0
    journal: ForwardJournal | None = None

    def open(self, key: str) -> Link:
        """A link to the card terminal; raises UpstreamUnreachable."""
        try:
            link = self.connect()
        except LinkError as error:
            self.tell(key, ForwardState.FAILED, str(error))
            raise UpstreamUnreachable(f"the card terminal cannot be reached: {error}") from error
        self.tell(key, ForwardState.STARTED, link.peer)
        return link

    def tell(self, key: str, state: ForwardState, detail: str) -> None:
        """Write one step down."""
        write_down(self.journal, key, state, detail)


def relay(inbox: Inbox, till: Link, card: Link, first: bytes, *, quiet_s: float) -> int:
    """Send `first` to the card terminal, then copy both ways until one side hangs up or all is quiet.

    The till's bytes come through the wire session's inbox, whose pump goes on reading; news of a payment
    in it is dropped. The card link is closed at the end.

    Returns:
        The number of bytes the card terminal answered.
    """
    last = _Quiet(quiet_s)
    card.write(first)
    up = threading.Thread(target=_copy_up, args=(inbox, card, last), name="relay-up", daemon=True)
    up.start()
    answered = 0
    try:
        while last.is_lively():
            data = card.read(_SLICE_S)
            if data:
                last.heard()
                till.write(data)
                answered += len(data)
    except LinkClosed as error:
        _log.debug("relay ended: %s", error)
    finally:
        last.end()
        card.close()
        up.join(2 * _SLICE_S)
    return answered


class _Quiet:
    """Knows when a relay has been silent for too long, or has ended."""

    def __init__(self, quiet_s: float) -> None:
        self._quiet_s = quiet_s
        self._last = time.monotonic()
        self._ended = threading.Event()

    def heard(self) -> None:
        self._last = time.monotonic()

    def end(self) -> None:
        self._ended.set()

    def is_lively(self) -> bool:
        return not self._ended.is_set() and time.monotonic() - self._last < self._quiet_s


def _copy_up(inbox: Inbox, card: Link, last: _Quiet) -> None:
    try:
        while last.is_lively():
            item = inbox.get(_SLICE_S)
            if isinstance(item, HungUp):
                break
            if isinstance(item, Received):
                last.heard()
                card.write(item.data)
    except LinkError as error:
        _log.warning("the card terminal stopped listening: %s", error)
    last.end()
    card.close()
