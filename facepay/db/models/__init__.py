"""One file of tables per area; importing this package adds all of them to `Base.metadata`."""

from facepay.db.models import journal, ledger, subjects

__all__ = ["journal", "ledger", "subjects"]
