"""A till asks for money, and what it is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from pos_adapter.errors import AmountNotRepresentable
from pos_adapter.types.exchanges import ExchangeKey, TransactionId
from pos_adapter.types.money import Money
from pos_adapter.types.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A till asks for money.

    `amount` is positive. `reference` is the merchant's own, 0..64 characters. `partial_from` is the
    smallest amount the till would take instead (None: all or nothing). `identity` names an earlier
    identification to be paid with, without a second capture. `timeout_s` is the till's own patience.
    `possible_duplicate` marks a request that looks like one just approved but not acknowledged.
    `till_listens` is False where the till will not read the outcome (Concert A011): the host shows it to
    the cashier and journals that the till was not informed.
    """

    key: ExchangeKey
    amount: Money
    reference: str = ""
    operator: str = ""
    partial_from: Money | None = None
    identity: str | None = None
    timeout_s: float | None = None
    possible_duplicate: bool = False
    till_listens: bool = True

    def same_as(self, other: PaymentRequest) -> bool:
        """Whether a repetition asks for the same payment (marks and patience aside)."""
        return (self.key, self.amount, self.reference, self.partial_from, self.identity) == (
            other.key,
            other.amount,
            other.reference,
            other.partial_from,
            other.identity,
        )


@dataclass(frozen=True, slots=True)
class PaymentResponse:
    """How a payment request ended.

    `transaction` is given whenever the host opened one. `authorised` is set exactly for approvals.
    `approval_code` is at most 8 characters. `account` is masked, such as `...42`. `receipt_number` is
    1..9999 and counts up on one terminal. `pseudonym` names the payer for this merchant only.
    `message` is one line for the cashier in plain words; it holds no reason an attacker could use.
    `statement` is the signed statement over an approval, for the receipt; `payer_token` is what the till's
    own provider is to charge, where the terminal itself charges nothing.
    """

    outcome: Outcome
    requested: Money
    at: datetime
    transaction: TransactionId | None = None
    authorised: Money | None = None
    approval_code: str = ""
    account: str = ""
    brand: str = "facepay"
    receipt_number: int | None = None
    pseudonym: str | None = None
    message: str = ""
    statement: str = field(default="", repr=False)
    payer_token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.outcome.is_approval != (self.authorised is not None):
            raise AmountNotRepresentable("exactly an approval carries an authorised amount")
        if self.outcome.is_approval and self.transaction is None:
            raise AmountNotRepresentable("an approval carries a transaction id")


class Settlement(Enum):
    """What became of an approval's money."""

    NONE = "none"
    """Nothing was authorised."""
    PENDING = "pending"
    """Authorised; the till's acknowledgement is awaited."""
    CAPTURED = "captured"
    VOIDED = "voided"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class PaymentRecord:
    """What the terminal remembers of a request; `response` is None while it runs."""

    request: PaymentRequest
    response: PaymentResponse | None
    settlement: Settlement
