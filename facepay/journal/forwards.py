"""Writes down what went on to the shop's card terminal, beside the chain of our own payments."""

from __future__ import annotations

from collections.abc import Callable

from facepay.db.models.forwards import ForwardRow
from facepay.db.session import Database
from pos_adapter.upstream import ForwardState


class Forwards:
    """Satisfies `pos_adapter.upstream.ForwardJournal`; a failure never stops a card."""

    def __init__(self, database: Database, terminal: str, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._terminal = terminal
        self._now_ms = now_ms

    def forwarded(self, key: str, state: ForwardState, detail: str) -> None:
        """One step of the forward of the request with this key text."""
        row = ForwardRow(
            terminal=self._terminal,
            request=key[:200],
            state=state.value,
            detail=detail[:200],
            at_ms=self._now_ms(),
        )
        with self._database.begin() as session:
            session.add(row)
