"""Store and forward: takes small payments while the provider is out of reach, and hands them on later.

The payment that discovers the outage is declined to card, because its factors were decided as online. From
then on `reachable` is False, the policy asks for the PIN, and payments below the floor limits are taken on
the merchant's risk. Each is forwarded once, under its own key; what the provider then declines is a loss
that `report` names.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import Engine

from facepay.psp.base import (
    Answer,
    Authorisation,
    Booked,
    Movement,
    Order,
    PaymentProvider,
    PspError,
    PspUnreachable,
    Reason,
    RefundOrder,
    RefundProvider,
    Stage,
)
from facepay.psp.offline_book import GONE, FloorLimits, OfflineBook, OfflineReport, OfflineStage, Taken
from pos_adapter.types import Money

__all__ = ["FloorLimits", "OfflineProvider", "OfflineReport", "OfflineStage", "Provider"]

Reply = TypeVar("Reply")
_log = logging.getLogger(__name__)


class Provider(PaymentProvider, RefundProvider, Protocol):
    """The provider behind the store."""


class OfflineProvider:
    """A provider in front of another one; satisfies both its Protocols."""

    def __init__(
        self, inner: Provider, engine: Engine, limits: FloorLimits, *, now_ms: Callable[[], int]
    ) -> None:
        self._inner = inner
        self._book = OfflineBook(engine, limits, now_ms=now_ms)
        self._reachable = True

    @property
    def reachable(self) -> bool:
        """Whether the provider answered last time; the policy decides as offline when it did not."""
        return self._reachable

    def authorise(self, order: Order) -> Authorisation:
        """Ask the provider; when it is known to be out of reach, take the order within the limits."""
        known = self._book.find(order)
        if known is not None:
            return _as_authorisation(known)
        was_reachable = self._reachable
        try:
            return self._ask(lambda: self._inner.authorise(order))
        except PspUnreachable:
            if was_reachable:
                raise
        if not self._book.take(order):
            return Authorisation(order, Answer.DECLINED, Stage.NONE, reason=Reason.OFFLINE_LIMIT)
        return Authorisation(order, Answer.APPROVED, Stage.HELD, _reference(order))

    def find(self, order: Order) -> Authorisation | None:
        """What became of the order, here or at the provider."""
        known = self._book.find(order)
        return self._ask(lambda: self._inner.find(order)) if known is None else _as_authorisation(known)

    def capture(self, order: Order, amount: Money) -> Movement:
        """Capture here what was taken here; it is forwarded later."""
        known = self._book.find(order)
        if known is None:
            return self._ask(lambda: self._inner.capture(order, amount))
        if known.stage is OfflineStage.HELD and 0 < amount.minor <= order.amount.minor:
            self._book.capture(order, amount)
        elif known.stage in GONE or known.captured != amount:
            return Movement(order.key, Answer.DECLINED, amount, reason=Reason.NOT_HELD)
        return Movement(order.key, Answer.APPROVED, amount, _reference(order))

    def void(self, order: Order) -> Movement:
        """Void here what was taken here, or ask the provider."""
        known = self._book.find(order)
        if known is None:
            return self._ask(lambda: self._inner.void(order))
        if known.stage is OfflineStage.HELD:
            self._book.void(order)
        elif known.stage not in GONE:
            return Movement(order.key, Answer.DECLINED, order.amount, reason=Reason.NOT_HELD)
        return Movement(order.key, Answer.APPROVED, order.amount, _reference(order))

    def refund(self, refund: RefundOrder) -> Movement:
        """Pay back through the provider; what was not forwarded yet waits until it is."""
        known = self._book.find(refund.original)
        if known is not None and known.stage is OfflineStage.CAPTURED:
            raise PspUnreachable("the payment has not been forwarded to the provider yet")
        if known is not None and known.stage is not OfflineStage.FORWARDED:
            return Movement(refund.key, Answer.DECLINED, refund.amount, reason=Reason.NOT_HELD)
        return self._ask(lambda: self._inner.refund(refund))

    def booked(self, since: datetime, until: datetime) -> Iterator[Booked]:
        """The provider's own list; what waits here is not on it."""
        return self._inner.booked(since, until)

    def forward(self) -> int:
        """Hand on what was captured offline; returns how many still wait.

        Safe to call at any time and to interrupt: the provider knows each key once.
        """
        waiting = self._book.waiting()
        for done, taken in enumerate(waiting):
            try:
                self._forward(taken)
            except PspError as error:
                _log.warning("%d offline payments still wait: %s", len(waiting) - done, error)
                return len(waiting) - done
        return 0

    def waiting_keys(self) -> frozenset[str]:
        """Keys of captured payments the provider does not know yet, for reconciliation."""
        return frozenset(taken.order.key for taken in self._book.waiting())

    def report(self) -> OfflineReport:
        """What was taken offline and what became of it."""
        return self._book.report()

    def _forward(self, taken: Taken) -> None:
        order = taken.order
        reply: Authorisation | Movement = self._ask(lambda: self._inner.authorise(order))
        if reply.answer is Answer.APPROVED:
            reply = self._ask(lambda: self._inner.capture(order, taken.captured))
        if reply.answer is Answer.UNKNOWN:
            raise PspError(f"order {order.key}: the provider's answer is unclear")
        if reply.answer is Answer.APPROVED:
            self._book.end(order, OfflineStage.FORWARDED)
            return
        _log.error("order %s: taken offline, and the provider declines it: money lost", order.key)
        self._book.end(order, OfflineStage.REFUSED, reply.reason.value if reply.reason else None)

    def _ask(self, ask: Callable[[], Reply]) -> Reply:
        try:
            reply = ask()
        except PspUnreachable:
            self._reachable = False
            raise
        self._reachable = True
        return reply


def _as_authorisation(known: Taken) -> Authorisation:
    if known.stage is OfflineStage.VOIDED:
        return Authorisation(known.order, Answer.DECLINED, Stage.VOIDED, reason=Reason.VOIDED)
    stage = Stage.HELD if known.stage is OfflineStage.HELD else Stage.CAPTURED
    return Authorisation(known.order, Answer.APPROVED, stage, _reference(known.order))


def _reference(order: Order) -> str:
    return f"offline-{order.key}"
