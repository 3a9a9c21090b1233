"""The values that travel between a till's wire and the payment host.

Frozen and slotted. Amounts are whole minor units, never floats. Nothing here names a face, a
template or a score: a till learns an outcome, a masked account and at most a per-merchant pseudonym.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import NewType

from pos_adapter.currencies import currency_of
from pos_adapter.errors import AmountNotRepresentable

TransactionId = NewType("TransactionId", str)
"""The terminal's id of a transaction: 1..35 characters `[A-Za-z0-9-]`, unique for ever, no dot."""

MAX_MINOR = 10**12 - 1
"""Largest amount any wire here can carry: 12 digits (ZVT tag 04, Caisse-AP tag CB)."""


def _whole_minor(number: Decimal, exponent: int) -> int:
    """Exact minor units; decimal arithmetic would round long numbers to its context's precision."""
    sign, digits, power = number.as_tuple()
    if not isinstance(power, int) or len(digits) > 30 or abs(power) > 30:
        raise AmountNotRepresentable("amount is not a number of usual size")
    value = int("".join(map(str, digits)))
    shift = power + exponent
    scale: int = 10 ** abs(shift)
    whole, rest = (value * scale, 0) if shift >= 0 else divmod(value, scale)
    if rest:
        raise AmountNotRepresentable("amount has more decimals than its currency")
    return -whole if sign else whole


@dataclass(frozen=True, slots=True)
class Money:
    """An amount: whole `minor` units (cents) of an ISO 4217 `currency` (three letters).

    Zero and negative amounts can be represented, so that totals add up; `require_payable` refuses them.

    Raises:
        AmountNotRepresentable: `minor` is no integer or too large.
        UnknownCurrency: `currency` is not active in ISO 4217.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int or abs(self.minor) > MAX_MINOR:
            raise AmountNotRepresentable(f"amount must be an integer of at most {MAX_MINOR} minor units")
        if currency_of(self.currency).alpha3 != self.currency:
            raise AmountNotRepresentable(f"currency must be three letters, not {self.currency!r}")

    @classmethod
    def from_major(cls, amount: Decimal | str, currency: str) -> Money:
        """Amount in major units (`"12.40"`) and alphabetic or numeric code; refuses what does not fit."""
        row = currency_of(currency)
        try:
            number = Decimal(amount)
        except (ArithmeticError, ValueError) as error:
            raise AmountNotRepresentable("amount is not a decimal number") from error
        return cls(_whole_minor(number, row.exponent), row.alpha3)

    @property
    def major(self) -> Decimal:
        """The amount in major units with the currency's decimals, `Decimal("12.40")`."""
        return Decimal(self.minor).scaleb(-currency_of(self.currency).exponent)

    def require_payable(self) -> Money:
        """Self when positive; raises AmountNotRepresentable for zero and negative amounts."""
        if self.minor <= 0:
            raise AmountNotRepresentable(f"amount must be more than zero, not {self}")
        return self

    def __str__(self) -> str:
        return f"{self.major:f} {self.currency}"


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


class Outcome(Enum):
    """How a payment request ended. Every wire has a row for each in its outcome table."""

    APPROVED = "approved"
    PARTIAL = "partial"
    NO_MATCH = "no_match"
    ATTACK_SUSPECTED = "attack_suspected"
    SHOPPER_CHOSE_CARD = "shopper_chose_card"
    CASHIER_ABORT = "cashier_abort"
    TIMEOUT = "timeout"
    DECLINED = "declined"
    """Policy, limit or payment provider said no; nothing was charged."""
    DEVICE_DEAD = "device_dead"
    PROVIDER_UNREACHABLE = "provider_unreachable"
    PROVIDER_UNKNOWN = "provider_unknown"
    """Nobody knows yet whether money moved; never told to a till as a refusal."""
    BUSY = "busy"
    BAD_REQUEST = "bad_request"
    FAILURE = "failure"
    """Anything nobody foresaw; nothing was charged, the operator is alerted."""

    @property
    def is_approval(self) -> bool:
        """Whether money is authorised and waits for the till's acknowledgement."""
        return self in (Outcome.APPROVED, Outcome.PARTIAL)


class ProgressStep(Enum):
    """Where a running payment stands; wires show it to the cashier or use it as a sign of life."""

    WAITING_FOR_SHOPPER = "waiting_for_shopper"
    CAPTURING = "capturing"
    CONFIRMING = "confirming"
    AUTHORISING = "authorising"
    RESOLVING = "resolving"
    """The provider's answer is unknown and is being asked for again."""
    FORWARDED = "forwarded"
    """The shop's card terminal has taken over."""


class TerminalStatus(Enum):
    """Whether a sale could start now."""

    READY = "ready"
    BUSY = "busy"
    OUT_OF_ORDER = "out_of_order"


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


@dataclass(frozen=True, slots=True)
class IdentifyRequest:
    """A till asks who stands there, without paying (loyalty, or a payment soon after)."""

    key: ExchangeKey
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class IdentifyResponse:
    """Who stands there: a per-merchant `pseudonym` and a short-lived `identity` to pay with.

    Both are None unless `outcome` is APPROVED. Never a template id, never a score.
    """

    outcome: Outcome
    at: datetime
    identity: str | None = None
    pseudonym: str | None = None
    message: str = ""
