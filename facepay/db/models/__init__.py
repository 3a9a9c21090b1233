"""One file of tables per area; importing this package adds all of them to `Base.metadata`."""

from facepay.db.models import accounts, audit, journal, keys, ledger, offline, periods, provider, subjects

__all__ = ["accounts", "audit", "journal", "keys", "ledger", "offline", "periods", "provider", "subjects"]
