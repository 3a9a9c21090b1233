"""Store and forward: takes small payments while the provider is out of reach, and hands them on later.

The payment that discovers the outage is declined to card, because its factors were decided as online. From
then on `reachable` is False, the policy asks for the PIN, and payments below the floor limits are taken on
the merchant's risk. Each is forwarded once, under its own key; what the provider then declines is a loss
that `report` names.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Engine, Row, func, insert, select, update

from facepay.db.models.offline import OfflinePayment
from facepay.db.transaction import reading, writing
from facepay.psp.base import (
    Answer,
    Authorisation,
    Booked,
    IdempotencyKey,
    KeyReused,
    Movement,
    Order,
    PayerToken,
    PaymentProvider,
    PspError,
    PspUnreachable,
    Reason,
    RefundOrder,
    RefundProvider,
    Stage,
)
from pos_adapter.types import Money

Reply = TypeVar("Reply")
_log = logging.getLogger(__name__)


class Provider(PaymentProvider, RefundProvider, Protocol):
    """The provider behind the store."""


@dataclass(frozen=True, slots=True)
class FloorLimits:
    """The merchant's risk, in minor units: for one payment, and for one account until it is forwarded."""

    payment_minor: int = 2_500
    account_minor: int = 5_000


class OfflineStage(Enum):
    """What became of a payment taken offline."""

    HELD = "held"
    CAPTURED = "captured"
    VOIDED = "voided"
    FORWARDED = "forwarded"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class OfflineReport:
    """Sums in minor units and counts by currency and stage; `refused` is money lost."""

    lines: tuple[tuple[str, OfflineStage, int, int], ...]
    """Currency, stage, count, sum."""

    def total(self, stage: OfflineStage, currency: str) -> int:
        """Sum of one stage in one currency."""
        return sum(line[3] for line in self.lines if line[:2] == (currency, stage))


class OfflineProvider:
    """A provider in front of another one; satisfies both its Protocols."""

    def __init__(
        self, inner: Provider, engine: Engine, limits: FloorLimits, *, now_ms: Callable[[], int]
    ) -> None:
        self._inner = inner
        self._engine = engine
        self._limits = limits
        self._now_ms = now_ms
        self._reachable = True

    @property
    def reachable(self) -> bool:
        """Whether the provider answered last time; the policy decides as offline when it did not."""
        return self._reachable

    def authorise(self, order: Order) -> Authorisation:
        """Ask the provider; when it is known to be out of reach, take the order within the limits."""
        known = self._find(order)
        if known is not None:
            return _as_authorisation(order, known)
        was_reachable = self._reachable
        try:
            return self._ask(lambda: self._inner.authorise(order))
        except PspUnreachable:
            if was_reachable:
                raise
        return self._take(order)

    def find(self, order: Order) -> Authorisation | None:
        """What became of the order, here or at the provider."""
        known = self._find(order)
        return (
            self._ask(lambda: self._inner.find(order)) if known is None else _as_authorisation(order, known)
        )

    def capture(self, order: Order, amount: Money) -> Movement:
        """Capture here what was taken here; it is forwarded later."""
        known = self._find(order)
        if known is None:
            return self._ask(lambda: self._inner.capture(order, amount))
        if known.stage == OfflineStage.HELD.value and 0 < amount.minor <= order.amount.minor:
            self._set(order.key, OfflineStage.CAPTURED, captured_minor=amount.minor)
        elif known.stage in _GONE or known.captured_minor != amount.minor:
            return Movement(order.key, Answer.DECLINED, amount, reason=Reason.NOT_HELD)
        return Movement(order.key, Answer.APPROVED, amount, f"offline-{order.key}")

    def void(self, order: Order) -> Movement:
        """Void here what was taken here, or ask the provider."""
        known = self._find(order)
        if known is None:
            return self._ask(lambda: self._inner.void(order))
        if known.stage not in _GONE and known.stage != OfflineStage.HELD.value:
            return Movement(order.key, Answer.DECLINED, order.amount, reason=Reason.NOT_HELD)
        if known.stage == OfflineStage.HELD.value:
            self._set(order.key, OfflineStage.VOIDED)
        return Movement(order.key, Answer.APPROVED, order.amount, f"offline-{order.key}")

    def refund(self, refund: RefundOrder) -> Movement:
        """Pay back through the provider; what was not forwarded yet waits until it is."""
        known = self._find(refund.original)
        if known is not None and known.stage == OfflineStage.CAPTURED.value:
            raise PspUnreachable("the payment has not been forwarded to the provider yet")
        if known is not None and known.stage != OfflineStage.FORWARDED.value:
            return Movement(refund.key, Answer.DECLINED, refund.amount, reason=Reason.NOT_HELD)
        return self._ask(lambda: self._inner.refund(refund))

    def booked(self, since: datetime, until: datetime) -> Iterator[Booked]:
        """The provider's own list; what waits here is not on it."""
        return self._inner.booked(since, until)

    def forward(self) -> int:
        """Hand on what was captured offline; returns how many still wait.

        Safe to call at any time and to interrupt: the provider knows each key once.
        """
        waiting = self._waiting()
        for done, row in enumerate(waiting):
            order, amount = _order(row), Money(row.captured_minor, row.currency)
            try:
                self._forward(order, amount)
            except PspError as error:
                _log.warning("%d offline payments still wait: %s", len(waiting) - done, error)
                return len(waiting) - done
        return 0

    def waiting_keys(self) -> frozenset[str]:
        """Keys of captured payments the provider does not know yet, for reconciliation."""
        return frozenset(row.key for row in self._waiting())

    def report(self) -> OfflineReport:
        """What was taken offline and what became of it."""
        query = select(
            OfflinePayment.currency,
            OfflinePayment.stage,
            func.count(),
            func.sum(OfflinePayment.amount_minor),
        ).group_by(OfflinePayment.currency, OfflinePayment.stage)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(OfflinePayment.currency, OfflinePayment.stage)).all()
        return OfflineReport(tuple((c, OfflineStage(stage), n, int(total)) for c, stage, n, total in rows))

    def _forward(self, order: Order, amount: Money) -> None:
        answer = self._ask(lambda: self._inner.authorise(order))
        if answer.answer is Answer.APPROVED:
            movement = self._ask(lambda: self._inner.capture(order, amount))
            if movement.answer is Answer.APPROVED:
                self._set(order.key, OfflineStage.FORWARDED, forwarded_at_ms=self._now_ms())
                return
            answer_reason, unclear = movement.reason, movement.answer is Answer.UNKNOWN
        else:
            answer_reason, unclear = answer.reason, answer.answer is Answer.UNKNOWN
        if unclear:
            raise PspError(f"order {order.key}: the provider's answer is unclear")
        _log.error("order %s: taken offline, and the provider declines it: money lost", order.key)
        reason = answer_reason.value if answer_reason else None
        self._set(order.key, OfflineStage.REFUSED, reason=reason, forwarded_at_ms=self._now_ms())

    def _ask(self, ask: Callable[[], Reply]) -> Reply:
        try:
            reply = ask()
        except PspUnreachable:
            self._reachable = False
            raise
        self._reachable = True
        return reply

    def _take(self, order: Order) -> Authorisation:
        with writing(self._engine) as connection:
            if order.amount.minor > self._limits.payment_minor:
                return Authorisation(order, Answer.DECLINED, Stage.NONE, reason=Reason.OFFLINE_LIMIT)
            if _at_risk(connection, order) + order.amount.minor > self._limits.account_minor:
                return Authorisation(order, Answer.DECLINED, Stage.NONE, reason=Reason.OFFLINE_LIMIT)
            connection.execute(
                insert(OfflinePayment).values(
                    key=order.key,
                    fingerprint=order.fingerprint,
                    payer=order.payer,
                    amount_minor=order.amount.minor,
                    captured_minor=0,
                    currency=order.amount.currency,
                    payee=order.payee,
                    terminal=order.terminal,
                    request=order.request,
                    stage=OfflineStage.HELD.value,
                    taken_at_ms=self._now_ms(),
                )
            )
        return Authorisation(order, Answer.APPROVED, Stage.HELD, f"offline-{order.key}")

    def _find(self, order: Order) -> Row[tuple[object, ...]] | None:
        with reading(self._engine) as connection:
            row = connection.execute(
                select(OfflinePayment.__table__).where(OfflinePayment.key == order.key)
            ).one_or_none()
        if row is not None and row.fingerprint != order.fingerprint:
            raise KeyReused("the key was used before for another order")
        return row

    def _waiting(self) -> list[Row[tuple[object, ...]]]:
        query = select(OfflinePayment.__table__).where(OfflinePayment.stage == OfflineStage.CAPTURED.value)
        with reading(self._engine) as connection:
            return list(connection.execute(query.order_by(OfflinePayment.taken_at_ms, OfflinePayment.key)))

    def _set(self, key: str, stage: OfflineStage, **values: object) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                update(OfflinePayment).where(OfflinePayment.key == key).values(stage=stage.value, **values)
            )


_GONE = frozenset({OfflineStage.VOIDED.value, OfflineStage.REFUSED.value})


def _at_risk(connection: Connection, order: Order) -> int:
    open_stages = [OfflineStage.HELD.value, OfflineStage.CAPTURED.value, OfflineStage.REFUSED.value]
    query = select(func.coalesce(func.sum(OfflinePayment.amount_minor), 0)).where(
        OfflinePayment.payer == order.payer, OfflinePayment.stage.in_(open_stages)
    )
    return int(connection.scalar(query) or 0)


def _as_authorisation(order: Order, row: Row[tuple[object, ...]]) -> Authorisation:
    if row.stage == OfflineStage.VOIDED.value:
        return Authorisation(order, Answer.DECLINED, Stage.VOIDED, reason=Reason.VOIDED)
    stage = Stage.HELD if row.stage == OfflineStage.HELD.value else Stage.CAPTURED
    return Authorisation(order, Answer.APPROVED, stage, f"offline-{order.key}")


def _order(row: Row[tuple[object, ...]]) -> Order:
    amount = Money(row.amount_minor, row.currency)
    key, payer = IdempotencyKey(row.key), PayerToken(row.payer)
    return Order(key, payer, amount, row.payee, row.terminal, row.request)
