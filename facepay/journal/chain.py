"""The end of one terminal's chain: appends rows, each bound to the one before.

It works inside the caller's transaction and remembers the newest row, so that appending costs one insert;
whoever rolls back calls `forget`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select

from facepay.db.base import Base
from facepay.db.models.journal import JournalRow
from facepay.db.prepared import Prepared
from facepay.journal.rows import GENESIS, Facts, Link, canonical
from facepay.journal.states import State

CLOCK_TOLERANCE_MS = 2_000
"""A clock this far behind the last row is reported; smaller steps back are what time servers do."""

_log = logging.getLogger(__name__)

_ROW = Base.metadata.tables[JournalRow.__tablename__]
_INSERT_ROW = Prepared(insert(_ROW), *_ROW.c.keys())
_NEWEST = (
    select(_ROW.c.sequence, _ROW.c.hash, _ROW.c.at_ms)
    .where(_ROW.c.chain == bindparam("chain"))
    .order_by(_ROW.c.sequence.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class _Head:
    sequence: int
    hash: str
    at_ms: int


class Chain:
    """The chain named `name`; `now_ms` gives UTC milliseconds since 1970. Not shared between threads."""

    def __init__(self, name: str, now_ms: Callable[[], int]) -> None:
        self.name = name
        self._now_ms = now_ms
        self._head: _Head | None = None
        self._clock_behind = False

    def append(self, connection: Connection, payment: str, *steps: tuple[State, Facts]) -> int:
        """Add a row for each step; returns their time in ms, which never runs back along the chain."""
        head = self._head or self._read_head(connection)
        now_ms = self._now_ms()
        behind_ms = head.at_ms - now_ms
        self._report_clock(behind_ms)
        clock: Facts = {"clock_behind_ms": behind_ms} if behind_ms > CLOCK_TOLERANCE_MS else {}
        # Limits and lock-outs that look at the chain's time cannot be reset by setting the clock back.
        at_ms = max(now_ms, head.at_ms)
        rows = []
        for state, facts in steps:
            body = canonical({**facts, **clock})
            link = Link(self.name, head.sequence + 1, payment, state.value, at_ms, body, head.hash)
            head = _Head(link.sequence, link.hash, at_ms)
            rows.append(
                {
                    "chain": link.chain,
                    "sequence": link.sequence,
                    "payment": link.payment,
                    "state": link.state,
                    "at_ms": link.at_ms,
                    "body": link.body,
                    "previous": link.previous,
                    "hash": head.hash,
                }
            )
        _INSERT_ROW.run(connection, rows)
        self._head = head
        return at_ms

    def forget(self) -> None:
        """Look the newest row up again: a transaction was rolled back, or another process wrote."""
        self._head = None

    def _report_clock(self, behind_ms: int) -> None:
        behind = behind_ms > CLOCK_TOLERANCE_MS
        if behind and not self._clock_behind:
            _log.error("the clock is %d ms behind the journal's last row", behind_ms)
        self._clock_behind = behind

    def _read_head(self, connection: Connection) -> _Head:
        row = connection.execute(_NEWEST, {"chain": self.name}).one_or_none()
        return _Head(0, GENESIS, 0) if row is None else _Head(row.sequence, row.hash, row.at_ms)
