"""What the terminal asks of a payment provider, and the three answers it can get.

Rules every provider keeps (`facepay.testing.contracts.psp` holds them to it):

* An order carries its idempotency key. The same key with the same order has one effect however often
  and however concurrently it is asked; the same key with anything else in the order is `KeyReused`.
* UNKNOWN means money may have moved. It is an answer, not an error, and is never rounded to yes or no.
* `PspUnreachable` is raised only where the provider certainly did not act.
* `void` of an order the provider has never seen bars its key: the order, arriving late, is declined.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NewType, Protocol

from pos_adapter.types import Money

IdempotencyKey = NewType("IdempotencyKey", str)
"""Names one order or refund for ever: printable ASCII, at most 180 characters, never reused."""

PayerToken = NewType("PayerToken", str)
"""The provider's own name of who pays: a wallet account, a customer with a card on file, a till's token."""


class Answer(Enum):
    """What the provider says about an effect it was asked for."""

    APPROVED = "approved"
    DECLINED = "declined"
    UNKNOWN = "unknown"


class Stage(Enum):
    """How far an order has come at the provider."""

    NONE = "none"
    HELD = "held"
    CAPTURED = "captured"
    VOIDED = "voided"


class Reason(Enum):
    """Why a provider declined; coarse on purpose, the provider's own words go to its log."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    NO_ACCOUNT = "no_account"
    CARD_DECLINED = "card_declined"
    STEP_UP_REQUIRED = "step_up_required"
    OFFLINE_LIMIT = "offline_limit"
    WRONG_CURRENCY = "wrong_currency"
    VOIDED = "voided"
    NOT_HELD = "not_held"
    TOO_MUCH = "too_much"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Order:
    """Everything one authorisation is bound to; change any of it and it is another order."""

    key: IdempotencyKey
    payer: PayerToken
    amount: Money
    payee: str
    terminal: str
    request: str

    def __post_init__(self) -> None:
        require_key(self.key)
        require_positive(self.amount)

    @property
    def fingerprint(self) -> str:
        """Lowercase hex sha256 over every field but the key."""
        fields = (
            self.payer,
            str(self.amount.minor),
            self.amount.currency,
            self.payee,
            self.terminal,
            self.request,
        )
        return hashlib.sha256("\x1f".join(fields).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Money back to the payer of a captured order, up to what was captured."""

    key: IdempotencyKey
    original: Order
    amount: Money

    def __post_init__(self) -> None:
        require_key(self.key)
        require_positive(self.amount)
        if self.amount.currency != self.original.amount.currency:
            raise BadOrder("a refund is paid in the currency of its payment")

    @property
    def fingerprint(self) -> str:
        """Lowercase hex sha256 over every field but the key."""
        fields = (self.original.key, str(self.amount.minor), self.amount.currency)
        return hashlib.sha256("\x1f".join(fields).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Authorisation:
    """The provider's answer to an order: `reference` is its own id of it, once it has one."""

    order: Order
    answer: Answer
    stage: Stage
    reference: str | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """The provider's answer to a capture, a void or a refund."""

    key: IdempotencyKey
    answer: Answer
    amount: Money
    reference: str | None = None
    reason: Reason | None = None


class BookedKind(Enum):
    """What a line of the provider's own list is about."""

    CAPTURE = "capture"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Booked:
    """One line of the provider's own list of what it moved, for reconciliation; `key` is ours."""

    key: IdempotencyKey
    kind: BookedKind
    amount: Money
    reference: str


class PaymentProvider(Protocol):
    """Takes money in two steps: hold it, then capture it or let it go. Safe to call from any thread."""

    def authorise(self, order: Order) -> Authorisation:
        """Hold `order.amount`; nothing is charged yet.

        Raises:
            KeyReused: The key was used for another order.
            PspUnreachable: Nothing was held, for certain.
        """
        ...

    def find(self, order: Order) -> Authorisation | None:
        """What became of an order; None where the provider has certainly never seen its key."""
        ...

    def capture(self, order: Order, amount: Money) -> Movement:
        """Take up to the held amount and release the rest; capturing again changes nothing."""
        ...

    def void(self, order: Order) -> Movement:
        """Release the hold, or bar the key of an order never seen; DECLINED once captured."""
        ...


class RefundProvider(Protocol):
    """Pays back and tells what it has booked; every provider that charges has this side too."""

    def refund(self, refund: RefundOrder) -> Movement:
        """Pay back once per key, never more in sum than was captured."""
        ...

    def booked(self, since: datetime, until: datetime) -> Iterator[Booked]:
        """The provider's own list of captures and refunds in `since <= t < until` (aware datetimes)."""
        ...


class PspError(Exception):
    """Base of what provider drivers raise; `certain` says that nothing was held or moved, for sure."""

    retryable = False
    certain = False


class BadOrder(PspError):
    """The order itself is impossible (amount not above 0, key malformed); the caller has a bug."""

    certain = True


class KeyReused(PspError):
    """The idempotency key was used before for something else; nothing was done."""

    certain = True


class PspUnreachable(PspError):
    """The provider was not reached and certainly did nothing; asking again is safe."""

    retryable = True
    certain = True


class PspUncertain(PspError):
    """The request may have reached the provider and its answer was lost; the same as UNKNOWN."""

    retryable = True


class PspMisconfigured(PspError):
    """The provider refuses this terminal (key, account, currency); the operator has to act."""

    certain = True


class WebhookRefused(PspError):
    """A webhook's signature is wrong, missing or too old; its body was not read."""


def require_key(key: IdempotencyKey) -> None:
    """Refuse a key that some provider could cut or change on its way."""
    if not 8 <= len(key) <= 180 or not key.isascii() or not key.isprintable() or " " in key:
        raise BadOrder("an idempotency key has 8 to 180 printable ASCII characters and no space")


def require_positive(amount: Money) -> None:
    """Refuse an amount that is not above 0."""
    if amount.minor <= 0:
        raise BadOrder(f"the amount must be above 0, not {amount.minor}")
