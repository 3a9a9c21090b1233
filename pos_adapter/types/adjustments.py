"""Money that goes back, and the totals at the end of the day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from pos_adapter.types.exchanges import ExchangeKey, TransactionId
from pos_adapter.types.money import Money


class AdjustmentOutcome(Enum):
    """How a reversal or refund ended."""

    DONE = "done"
    NOT_FOUND = "not_found"
    ALREADY_REVERSED = "already_reversed"
    NOT_POSSIBLE = "not_possible"
    """The state, age or amount forbids it."""
    PROVIDER_UNREACHABLE = "provider_unreachable"
    PROVIDER_UNKNOWN = "provider_unknown"


@dataclass(frozen=True, slots=True)
class ReversalRequest:
    """Undo a whole payment, named by `transaction` or by `receipt_number` (one of them is given)."""

    key: ExchangeKey
    transaction: TransactionId | None = None
    receipt_number: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Give money back.

    With `transaction` (or `receipt_number`) some or all of that payment; `amount` None means all that
    is left. Without either it is an unlinked refund, which a host may refuse with NOT_POSSIBLE.
    """

    key: ExchangeKey
    transaction: TransactionId | None = None
    receipt_number: int | None = None
    amount: Money | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AdjustmentResponse:
    """Answer to a reversal or refund; `transaction` is the adjustment's own id, `amount` what went back."""

    outcome: AdjustmentOutcome
    at: datetime
    transaction: TransactionId | None = None
    original: TransactionId | None = None
    amount: Money | None = None
    receipt_number: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class CurrencyTotals:
    """Sums of one currency since the last close: captured payments, refunds and reversals."""

    payments: int
    paid: Money
    refunds: int
    refunded: Money


@dataclass(frozen=True, slots=True)
class Totals:
    """End-of-day figures: period and one entry a currency."""

    since: datetime
    until: datetime
    currencies: tuple[CurrencyTotals, ...] = field(default=())
