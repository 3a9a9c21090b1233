"""Questions of pages and tills: what was paid here, by whom, and how much since the last close.

Each is one look-up by an index or one sum in the database, however long the journal has become.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Select, func, select
from sqlalchemy.exc import DBAPIError

from facepay.db.base import Base
from facepay.db.engine import reader_of
from facepay.db.models.journal import JournalPayment
from facepay.journal.errors import JournalUnavailable
from facepay.journal.rows import Entry, as_entry
from facepay.journal.states import State
from pos_adapter.types import Money

_PAYMENT = Base.metadata.tables[JournalPayment.__tablename__]
_NEWEST_FIRST = (_PAYMENT.c.at_ms.desc(), _PAYMENT.c.payment.desc())


@dataclass(frozen=True, slots=True)
class Moved:
    """What was captured and what was refunded in one currency: counts and sums."""

    captures: int
    captured: Money
    refunds: int
    refunded: Money


class History:
    """The payments of one chain, read and never written."""

    def __init__(self, engine: Engine, chain: str) -> None:
        self._engine = reader_of(engine)
        self._chain = chain

    def newest(self, limit: int = 1_000) -> Sequence[Entry]:
        """The newest payments, refunds left out, newest first."""
        return self._entries(self._payments().order_by(*_NEWEST_FIRST).limit(limit))

    def latest(self, wire: str, till: str) -> Entry | None:
        """The newest payment of a till on a wire."""
        asked = _PAYMENT.c.wire == wire, _PAYMENT.c.till == till
        return self._first(self._payments().where(*asked).order_by(*_NEWEST_FIRST))

    def find_receipt(self, number: int) -> Entry | None:
        """The newest payment with a receipt number; the numbers come round again."""
        return self._first(self._payments().where(_PAYMENT.c.receipt == number).order_by(*_NEWEST_FIRST))

    def latest_receipt(self) -> int:
        """The newest receipt number that was given out; 0 before the first."""
        numbered = self._payments().where(_PAYMENT.c.receipt.is_not(None))
        found = self._first(numbered.order_by(*_NEWEST_FIRST))
        number = found.facts.get("receipt") if found else None
        return number if isinstance(number, int) else 0

    def of_account(self, account: str, limit: int) -> Sequence[Entry]:
        """The newest payments of an account, newest first."""
        return self._entries(
            self._payments().where(_PAYMENT.c.account == account).order_by(*_NEWEST_FIRST).limit(limit)
        )

    def states(self, limit: int) -> dict[State, int]:
        """How many of the newest payments stand in each state."""
        newest = self._payments().order_by(*_NEWEST_FIRST).limit(limit).subquery()
        rows = self._read(select(newest.c.state, func.count()).group_by(newest.c.state))
        return {State(state): count for state, count in rows}

    def moved(self, since_ms: int, until_ms: int) -> tuple[Moved, ...]:
        """Money that moved for good in `since_ms <= t < until_ms`, by currency.

        A payment counts when it was captured and a refund when it was carried out, whenever either was
        begun: so everything counts in exactly one of two periods that touch.
        """
        rows = self._read(
            select(_PAYMENT.c.currency, _PAYMENT.c.state, func.count(), func.sum(_PAYMENT.c.amount_minor))
            .where(
                _PAYMENT.c.chain == self._chain,
                _PAYMENT.c.moved_at_ms >= since_ms,
                _PAYMENT.c.moved_at_ms < until_ms,
            )
            .group_by(_PAYMENT.c.currency, _PAYMENT.c.state)
        )
        found = {(currency, State(state)): (count, int(minor)) for currency, state, count, minor in rows}
        return tuple(_moved(found, currency) for currency in sorted({currency for currency, _ in found}))

    def _payments(self) -> Select[Any]:  # Any: the table's columns are not typed one by one
        return select(_PAYMENT).where(_PAYMENT.c.chain == self._chain, _PAYMENT.c.original.is_(None))

    def _first(self, query: Select[Any]) -> Entry | None:
        return next(iter(self._entries(query.limit(1))), None)

    def _entries(self, query: Select[Any]) -> list[Entry]:
        return [as_entry(row) for row in self._read(query)]

    def _read(self, query: Select[Any]) -> Sequence[Any]:
        try:
            with self._engine.connect() as connection:
                return connection.execute(query).all()
        except DBAPIError as error:
            raise JournalUnavailable(f"the journal cannot be read: {error.orig}") from error


def _moved(found: dict[tuple[str, State], tuple[int, int]], currency: str) -> Moved:
    captures, captured = found.get((currency, State.CAPTURED), (0, 0))
    refunds, refunded = found.get((currency, State.REFUNDED), (0, 0))
    return Moved(captures, Money(captured, currency), refunds, Money(refunded, currency))
