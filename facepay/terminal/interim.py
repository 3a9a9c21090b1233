"""Payers' PINs and spending in memory, until the accounts room lands."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from facepay.errors import FactorFailed
from facepay.journal import Journal, State
from facepay.policy import FactorPreference, Spending
from pos_adapter.types import Money


class MemoryAccounts:
    """Satisfies `PayerAccounts`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._pins: dict[str, tuple[bytes, bytes]] = {}

    def set_pin(self, account: str, pin: str) -> None:
        """Keep a PIN, hashed."""
        salt = secrets.token_bytes(16)
        self._pins[account] = salt, _hash(pin, salt)

    def require_usable(self, account: str, amount: Money) -> None:
        """No limits yet."""

    def spending(self, account: str) -> Spending:
        """Since the last PIN."""
        total = count = 0
        for entry in self._journal.newest():
            if entry.account != account or entry.state is not State.CAPTURED:
                continue
            if entry.facts.get("factor") == "pin":
                break
            total, count = total + entry.amount.minor, count + 1
        return Spending(total, count)

    def has_paid(self, account: str) -> bool:
        """Whether anything was captured."""
        return any(e.account == account and e.state is State.CAPTURED for e in self._journal.newest())

    def preference(self, account: str) -> FactorPreference:
        """None is kept."""
        return FactorPreference.NONE

    def require_pin(self, account: str, pin: str) -> None:
        """Compare in constant time."""
        salt, kept = self._pins.get(account, (b"", b""))
        if not kept or not hmac.compare_digest(kept, _hash(pin, salt)):
            raise FactorFailed("the PIN is wrong")


def _hash(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=2**14, r=8, p=1)
