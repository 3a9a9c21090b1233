"""A payment provider whose answers get lost, late, doubled or garbled, around a real one.

`facepay chaos` and the tests of the settlement use it. It never invents money: whatever happens, the
inner provider's books say what really moved.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum
from typing import Protocol, TypeVar

from facepay.psp.base import (
    Authorisation,
    Booked,
    Movement,
    Order,
    PaymentProvider,
    PspUncertain,
    PspUnreachable,
    RefundOrder,
    RefundProvider,
)
from pos_adapter.types import Money

Reply = TypeVar("Reply")


class Mishap(Enum):
    """What happens to one call on its way to the provider and back."""

    NONE = "none"
    UNREACHABLE = "unreachable"
    """The connection is refused: the provider certainly did nothing."""
    LOST_REQUEST = "lost_request"
    """The request never arrives, which the caller cannot know."""
    LATE_REQUEST = "late_request"
    """The request arrives only after the caller has given up: at the next call."""
    LOST_ANSWER = "lost_answer"
    """The provider acts and its answer is lost."""
    TWICE = "twice"
    """The network delivers the request twice."""
    NONSENSE = "nonsense"
    """The provider acts and answers what no driver can read."""


class FullProvider(PaymentProvider, RefundProvider, Protocol):
    """Both sides of a provider."""


class FaultyProvider:
    """Wraps a provider; `mishap` is asked once per call, with the name of the method."""

    def __init__(self, inner: FullProvider, mishap: Callable[[str], Mishap]) -> None:
        self._inner = inner
        self._mishap = mishap
        self._late: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    def authorise(self, order: Order) -> Authorisation:
        """See `PaymentProvider.authorise`."""
        return self._call("authorise", lambda: self._inner.authorise(order))

    def find(self, order: Order) -> Authorisation | None:
        """See `PaymentProvider.find`."""
        return self._call("find", lambda: self._inner.find(order))

    def capture(self, order: Order, amount: Money) -> Movement:
        """See `PaymentProvider.capture`."""
        return self._call("capture", lambda: self._inner.capture(order, amount))

    def void(self, order: Order) -> Movement:
        """See `PaymentProvider.void`."""
        return self._call("void", lambda: self._inner.void(order))

    def refund(self, refund: RefundOrder) -> Movement:
        """See `RefundProvider.refund`."""
        return self._call("refund", lambda: self._inner.refund(refund))

    def booked(self, since: datetime, until: datetime) -> Iterator[Booked]:
        """See `RefundProvider.booked`; never disturbed."""
        return self._inner.booked(since, until)

    def deliver_late(self) -> None:
        """Let every late request arrive now."""
        with self._lock:
            late, self._late = self._late, []
        for request in late:
            request()

    def _call(self, name: str, ask: Callable[[], Reply]) -> Reply:
        self.deliver_late()
        mishap = self._mishap(name)
        if mishap is Mishap.UNREACHABLE:
            raise PspUnreachable("simulated: connection refused")
        if mishap is Mishap.LOST_REQUEST:
            raise PspUncertain("simulated: no answer, the request was lost")
        if mishap is Mishap.LATE_REQUEST:
            with self._lock:
                self._late.append(ask)
            raise PspUncertain("simulated: no answer in time")
        reply = ask()
        if mishap is Mishap.TWICE:
            reply = ask()
        if mishap is Mishap.LOST_ANSWER:
            raise PspUncertain("simulated: the answer was lost")
        if mishap is Mishap.NONSENSE:
            raise ValueError("simulated: <html>502 Bad Gateway</html>")
        return reply
