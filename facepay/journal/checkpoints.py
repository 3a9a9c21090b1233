"""Signed checkpoints: once an hour and at the end of the day, a statement of where the chain stood.

The hashes show that a row in the middle was changed; only a signed checkpoint shows that rows were cut off
the end and the rest was hashed anew. Keep copies off the machine (`facepay journal export --checkpoints`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.exc import DBAPIError

from facepay.db.engine import reader_of
from facepay.db.models.journal import JournalCheckpoint, JournalRow
from facepay.journal.errors import JournalUnavailable
from keys.base import Signing
from keys.statements import StatementKind, sign_statement


class Period(Enum):
    """What a checkpoint closes."""

    HOUR = "hour"
    DAY = "day"


class Checkpoints:
    """Writes the checkpoints of one chain; `now_ms` gives UTC milliseconds since 1970."""

    def __init__(self, engine: Engine, *, chain: str, signer: Signing, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._chain = chain
        self._signer = signer
        self._now_ms = now_ms

    def tick(self) -> Period | None:
        """Write the checkpoint that is due, if one is; call it between sales and every few minutes."""
        newest_ms = self._newest_ms()
        now = _utc(self._now_ms())
        if newest_ms is not None:
            before = _utc(newest_ms)
            if (before.date(), before.hour) == (now.date(), now.hour):
                return None
            period = Period.DAY if before.date() != now.date() else Period.HOUR
        else:
            period = Period.HOUR
        return period if self.close(period) else None

    def close(self, period: Period) -> bool:
        """Write a checkpoint over everything so far; False where nothing is new since the last one.

        Raises:
            JournalUnavailable: The database failed; nothing was written.
        """
        try:
            return self._close(period)
        except DBAPIError as error:
            raise JournalUnavailable(f"the checkpoint cannot be written: {error.orig}") from error

    def _close(self, period: Period) -> bool:
        at_ms = self._now_ms()
        with self._engine.begin() as connection:
            head = connection.execute(
                select(JournalRow.sequence, JournalRow.hash)
                .where(JournalRow.chain == self._chain)
                .order_by(JournalRow.sequence.desc())
                .limit(1)
            ).one_or_none()
            last = connection.scalar(
                select(func.max(JournalCheckpoint.sequence)).where(JournalCheckpoint.chain == self._chain)
            )
            if head is None or last == head.sequence:
                return False
            claims = {
                "chain": self._chain,
                "sequence": head.sequence,
                "hash": head.hash,
                "iat": at_ms // 1000,
                "period": period.value,
            }
            connection.execute(
                insert(JournalCheckpoint).values(
                    chain=self._chain,
                    sequence=head.sequence,
                    at_ms=at_ms,
                    statement=sign_statement(StatementKind.CHECKPOINT, claims, self._signer),
                )
            )
        return True

    def _newest_ms(self) -> int | None:
        with reader_of(self._engine).connect() as connection:
            return connection.scalar(
                select(func.max(JournalCheckpoint.at_ms)).where(JournalCheckpoint.chain == self._chain)
            )


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
