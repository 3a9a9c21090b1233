"""The book of payments taken offline: what was taken, what became of it, and how much is at risk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, Engine, Row, func, insert, select, update

from facepay.db.models.offline import OfflinePayment
from facepay.db.transaction import reading, writing
from facepay.psp.base import IdempotencyKey, KeyReused, Order, PayerToken
from pos_adapter.types import Money


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


GONE = frozenset({OfflineStage.VOIDED, OfflineStage.REFUSED})
"""Stages from which no money comes any more."""

_AT_RISK = (OfflineStage.HELD.value, OfflineStage.CAPTURED.value, OfflineStage.REFUSED.value)


@dataclass(frozen=True, slots=True)
class OfflineReport:
    """Sums in minor units and counts by currency and stage; `refused` is money lost."""

    lines: tuple[tuple[str, OfflineStage, int, int], ...]
    """Currency, stage, count, sum."""

    def total(self, stage: OfflineStage, currency: str) -> int:
        """Sum of one stage in one currency."""
        return sum(line[3] for line in self.lines if line[:2] == (currency, stage))


@dataclass(frozen=True, slots=True)
class Taken:
    """One payment taken offline, as it stands."""

    order: Order
    stage: OfflineStage
    captured: Money


class OfflineBook:
    """The payments of one terminal's database; `now_ms` gives UTC milliseconds since 1970."""

    def __init__(self, engine: Engine, limits: FloorLimits, *, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._limits = limits
        self._now_ms = now_ms

    def find(self, order: Order) -> Taken | None:
        """What was taken under an order's key; raises KeyReused where that was another order."""
        with reading(self._engine) as connection:
            row = connection.execute(
                select(OfflinePayment.__table__).where(OfflinePayment.key == order.key)
            ).one_or_none()
        if row is not None and row.fingerprint != order.fingerprint:
            raise KeyReused("the key was used before for another order")
        return None if row is None else _taken(row)

    def take(self, order: Order) -> bool:
        """Take an order on the merchant's risk; False where that would pass a floor limit."""
        with writing(self._engine) as connection:
            if order.amount.minor > self._limits.payment_minor:
                return False
            if _at_risk(connection, order) + order.amount.minor > self._limits.account_minor:
                return False
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
        return True

    def capture(self, order: Order, amount: Money) -> None:
        """The till has learned of the approval; the amount waits to be forwarded."""
        self._set(order.key, OfflineStage.CAPTURED, captured_minor=amount.minor)

    def void(self, order: Order) -> None:
        """Nothing is owed any more."""
        self._set(order.key, OfflineStage.VOIDED)

    def end(self, order: Order, stage: OfflineStage, reason: str | None = None) -> None:
        """The provider has it, or has refused it."""
        self._set(order.key, stage, reason=reason, forwarded_at_ms=self._now_ms())

    def waiting(self) -> list[Taken]:
        """Captured payments the provider does not know yet, oldest first."""
        query = select(OfflinePayment.__table__).where(OfflinePayment.stage == OfflineStage.CAPTURED.value)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(OfflinePayment.taken_at_ms, OfflinePayment.key))
            return [_taken(row) for row in rows]

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

    def _set(self, key: IdempotencyKey, stage: OfflineStage, **values: object) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                update(OfflinePayment).where(OfflinePayment.key == key).values(stage=stage.value, **values)
            )


def _at_risk(connection: Connection, order: Order) -> int:
    query = select(func.coalesce(func.sum(OfflinePayment.amount_minor), 0)).where(
        OfflinePayment.payer == order.payer, OfflinePayment.stage.in_(_AT_RISK)
    )
    return int(connection.scalar(query) or 0)


def _taken(row: Row[tuple[object, ...]]) -> Taken:
    amount = Money(row.amount_minor, row.currency)
    key, payer = IdempotencyKey(row.key), PayerToken(row.payer)
    order = Order(key, payer, amount, row.payee, row.terminal, row.request)
    return Taken(order, OfflineStage(row.stage), Money(row.captured_minor, row.currency))
