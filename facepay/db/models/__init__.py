"""One file of tables per area; importing this package adds all of them to `Base.metadata`."""

from facepay.db.models import journal, ledger, periods, subjects

__all__ = ["journal", "ledger", "periods", "subjects"]
