"""One file of tables per area; importing this package adds all of them to `Base.metadata`."""

from facepay.db.models import accounts, journal, ledger, offline, periods, subjects

__all__ = ["accounts", "journal", "ledger", "offline", "periods", "subjects"]
