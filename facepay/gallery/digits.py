"""Digits that narrow a search, stored as a keyed blind index.

Four digits have 10,000 values: without the key an attacker would try them all, so the index is an
HMAC under a secret that only the key store can derive, separate for each tenant.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Protocol

from keys.hygiene import wiping

LABEL = b"facepay/gallery/digits/v1/"


class Deriving(Protocol):
    """The part of a key store that makes secrets which survive a rotation."""

    def derive_into(self, label: bytes, out: bytearray) -> None:
        """Fill `out` with a secret only this key store can make from `label`."""
        ...


class DigitsIndex:
    """Turns digits into their blind index."""

    def __init__(self, keys: Deriving, tenant: str) -> None:
        self._keys = keys
        self._label = LABEL + tenant.encode()

    def index_of(self, digits: str) -> str:
        """The index of `digits`, 64 hex digits."""
        with wiping(32) as secret:
            self._keys.derive_into(self._label, secret)
            return hmac.new(secret, digits.encode(), hashlib.sha256).hexdigest()
