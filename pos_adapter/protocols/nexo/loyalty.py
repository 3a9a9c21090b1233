"""What the nexo wire needs of a shop's loyalty programme; without one, LoyaltyRequest is told so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pos_adapter.types import ExchangeKey, Money


@dataclass(frozen=True, slots=True)
class LoyaltyOrder:
    """A LoyaltyRequest: `kind` is nexo's LoyaltyTransactionType (Award, Redemption, ...)."""

    key: ExchangeKey
    account: str
    kind: str
    amount: Money | None


@dataclass(frozen=True, slots=True)
class LoyaltyAnswer:
    """Whether the programme took the order, and the account's balance in points where it tells one."""

    accepted: bool
    balance: int | None = None
    message: str = ""


class LoyaltyProgramme(Protocol):
    """Books points for a per-merchant pseudonym."""

    def book(self, order: LoyaltyOrder) -> LoyaltyAnswer:
        """Carry out one order; repeating a key is safe."""
