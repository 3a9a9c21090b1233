"""Remembers what a provider was asked for and what it calls it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from facepay.db.models.provider import ProviderOrder
from facepay.db.transaction import reading, writing
from facepay.psp.base import Booked, BookedKind, IdempotencyKey, KeyReused, Order, RefundOrder, Stage
from pos_adapter.types import Money

REFUND = "refund"
ORDER = "order"


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of an order: the provider's id, how far it came, the amount that counts."""

    reference: str
    stage: Stage
    amount: Money


class OrderBook:
    """The orders of one provider; `now_ms` gives UTC milliseconds since 1970."""

    def __init__(self, engine: Engine, provider: str, *, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._provider = provider
        self._now_ms = now_ms

    def find(self, asked: Order | RefundOrder) -> Known | None:
        """What is remembered; raises KeyReused where the key was used for something else."""
        with reading(self._engine) as connection:
            row = connection.execute(
                select(ProviderOrder.__table__).where(ProviderOrder.key == asked.key)
            ).one_or_none()
        if row is None:
            return None
        if row.fingerprint != asked.fingerprint:
            raise KeyReused("the key was used before for something else")
        return Known(row.reference, Stage(row.stage), Money(row.amount_minor, row.currency))

    def record(self, asked: Order | RefundOrder, reference: str, stage: Stage) -> Known:
        """Remember an order once; whoever came first is what counts."""
        refund = isinstance(asked, RefundOrder)
        try:
            with writing(self._engine) as connection:
                connection.execute(
                    insert(ProviderOrder).values(
                        key=asked.key,
                        provider=self._provider,
                        fingerprint=asked.fingerprint,
                        reference=reference,
                        stage=stage.value,
                        kind=REFUND if refund else ORDER,
                        original=asked.original.key if isinstance(asked, RefundOrder) else None,
                        amount_minor=asked.amount.minor,
                        currency=asked.amount.currency,
                        at_ms=self._now_ms(),
                    )
                )
        except IntegrityError:
            known = self.find(asked)
            if known is not None:
                return known
            raise
        return Known(reference, stage, asked.amount)

    def move(self, key: IdempotencyKey, stage: Stage, amount: Money) -> None:
        """Write how far an order has come, and the amount that counts now."""
        with writing(self._engine) as connection:
            connection.execute(
                update(ProviderOrder)
                .where(ProviderOrder.key == key)
                .values(stage=stage.value, amount_minor=amount.minor, at_ms=self._now_ms())
            )

    def refunded_minor(self, original: IdempotencyKey) -> int:
        """Sum of the refunds remembered for an order."""
        query = select(func.coalesce(func.sum(ProviderOrder.amount_minor), 0)).where(
            ProviderOrder.original == original
        )
        with reading(self._engine) as connection:
            return int(connection.scalar(query) or 0)

    def booked(self, since_ms: int, until_ms: int) -> list[Booked]:
        """Captures and refunds remembered in the half-open span, oldest first."""
        query = (
            select(ProviderOrder.__table__)
            .where(
                ProviderOrder.provider == self._provider,
                ProviderOrder.stage == Stage.CAPTURED.value,
                ProviderOrder.at_ms >= since_ms,
                ProviderOrder.at_ms < until_ms,
            )
            .order_by(ProviderOrder.at_ms, ProviderOrder.key)
        )
        with reading(self._engine) as connection:
            return [
                Booked(
                    IdempotencyKey(row.key),
                    BookedKind.REFUND if row.kind == REFUND else BookedKind.CAPTURE,
                    Money(row.amount_minor, row.currency),
                    row.reference,
                )
                for row in connection.execute(query)
            ]
