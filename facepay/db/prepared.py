"""Statements that are written out as text once.

Looking a statement up, binding and wrapping it costs SQLAlchemy more than SQLite takes to run it, and is
most of what a journal commit costs beside the disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.sql import Delete, Insert, Select, Update

Values = Mapping[str, object]


class Prepared:
    """One statement over plain columns (text and integers), with the names of what it takes."""

    def __init__(self, statement: Select[Any] | Insert | Update | Delete, *names: str) -> None:
        self._statement = statement
        self._names = names
        self._texts: dict[str, tuple[str, Sequence[str] | None]] = {}

    def run(self, connection: Connection, values: Values | Sequence[Values]) -> CursorResult[Any]:
        """Run it with these values, or once for each of them."""
        text, order = self._texts.get(connection.dialect.name) or self._write(connection)
        if isinstance(values, Mapping):
            values = [values]
        if order is None:
            named = [{name: row[name] for name in self._names} for row in values]
            return connection.exec_driver_sql(text, named if len(named) > 1 else named[0])
        placed = [tuple(row[name] for name in order) for row in values]
        return connection.exec_driver_sql(text, placed if len(placed) > 1 else placed[0])

    def _write(self, connection: Connection) -> tuple[str, Sequence[str] | None]:
        compiled = self._statement.compile(dialect=connection.dialect, column_keys=list(self._names))
        # Drivers that bind by place need the order; the others take the names.
        order = getattr(compiled, "positiontup", None)
        made = (str(compiled), order)
        self._texts[connection.dialect.name] = made
        return made
