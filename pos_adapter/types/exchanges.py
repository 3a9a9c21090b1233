"""What names a request and a transaction, so that a repetition is known as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

TransactionId = NewType("TransactionId", str)
"""The terminal's id of a transaction: 1..35 characters `[A-Za-z0-9-]`, unique for ever, no dot."""


@dataclass(frozen=True, slots=True, order=True)
class ExchangeKey:
    """What makes one request the same request when it comes again.

    nexo: POIID, SaleID, ServiceID. REST: terminal, till, Idempotency-Key. hw_proxy: payment id.
    Wires without a key number their requests themselves.
    """

    wire: str
    terminal: str
    till: str
    exchange: str

    @property
    def text(self) -> str:
        """One printable line, unique a key: parts are percent-escaped and joined by slashes."""
        parts = (self.wire, self.terminal, self.till, self.exchange)
        return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)
