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
from pos_adapter.types import Outcome

_log = logging.getLogger(__name__)
_SLICE_S = 0.5

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
        """Write one step down; a broken journal is logged and does not stop the card."""
        _log.info("forward of %s: %s (%s)", key, state.value, detail)
        if self.journal is None:
            return
        try:
            self.journal.forwarded(key, state, detail)
        except Exception:
            _log.exception("the journal did not take a forward of %s", key)


def relay(till: Link, card: Link, first: bytes, *, quiet_s: float) -> int:
    """Send `first` to the card terminal, then copy both ways until one side hangs up or all is quiet.

    For wires where one connection is one exchange. Both links are closed at the end.

    Returns:
        The number of bytes the card terminal answered.
    """
    card.write(first)
    last = [time.monotonic()]
    ended = threading.Event()
    up = threading.Thread(target=_copy, args=(till, card, last, ended, quiet_s), name="relay-up", daemon=True)
    up.start()
    answered = _copy(card, till, last, ended, quiet_s)
    card.close()
    till.close()
    up.join(2 * _SLICE_S)
    return answered


def _copy(source: Link, target: Link, last: list[float], ended: threading.Event, quiet_s: float) -> int:
    copied = 0
    try:
        while not ended.is_set() and time.monotonic() - last[0] < quiet_s:
            data = source.read(_SLICE_S)
            if data:
                last[0] = time.monotonic()
                target.write(data)
                copied += len(data)
    except LinkClosed:
        _log.debug("%s hung up", source.peer)
    except LinkError as error:
        _log.warning("relay from %s stopped: %s", source.peer, error)
    ended.set()
    return copied
