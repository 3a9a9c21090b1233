"""Builds the payment providers that come with the product; the factories of the plugin group `psp`.

`tools.parts` holds `database` (a `facepay.db.session.Database`) and `now_ms`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from facepay.db.session import Database
from facepay.errors import PluginError
from facepay.plugins import Tools
from facepay.psp.ledger import LedgerProvider


def ledger(options: Mapping[str, object], tools: Tools) -> LedgerProvider:
    """The prepaid wallet on the terminal's own database; takes no options."""
    if options:
        raise PluginError(f"the provider ledger takes no options, not {', '.join(sorted(options))}")
    return LedgerProvider(_database(tools).engine, now_ms=_now_ms(tools))


def _database(tools: Tools) -> Database:
    # `facepay.terminal.money` fills the parts; their types are the group's contract.
    return cast("Database", tools.parts["database"])


def _now_ms(tools: Tools) -> Callable[[], int]:
    return cast("Callable[[], int]", tools.parts["now_ms"])
