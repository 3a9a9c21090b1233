"""One file of tables per area; importing this package adds all of them to `Base.metadata`."""

from facepay.db.models import (
    accounts,
    audit,
    forwards,
    journal,
    keys,
    ledger,
    offline,
    periods,
    provider,
    subjects,
)

__all__ = [
    "accounts",
    "audit",
    "forwards",
    "journal",
    "keys",
    "ledger",
    "offline",
    "periods",
    "provider",
    "subjects",
]
