"""One payer's account as the checkout sees it: may it be used, what has it spent, does the PIN fit.

Refusals about who stands there are all `Declined` with one row in `facepay.outcomes`; a PIN check takes
the same work whether the account is locked, has no PIN or does not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update

from facepay.accounts.lockouts import Guarded, LockedOut, Lockouts, Scope
from facepay.accounts.spending import last_paid_ms, spending_of, spent_since
from facepay.db.models.accounts import PayerAccountRow
from facepay.db.transaction import reading, writing
from facepay.errors import FactorFailed, LimitExceeded
from facepay.policy import FactorPreference, Standing
from facepay.psp.base import PayerToken
from keys.base import Deriving
from keys.passphrase import Argon2Cost
from keys.pins import PIN_COST, PinRefused, make_pin_record, require_pin
from pos_adapter.types import Money

DAY_MS = 86_400_000

# Built once: building it takes longer than running it.
_CHOICES = select(
    PayerAccountRow.limit_payment_minor, PayerAccountRow.limit_day_minor, PayerAccountRow.preference
).where(PayerAccountRow.account == bindparam("of_account"))
_PAYER = select(PayerAccountRow.payer).where(PayerAccountRow.account == bindparam("of_account"))


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """What the shopper allows for themselves, in minor units; None: no limit of their own."""

    payment_minor: int | None = None
    day_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What a shopper has chosen for themselves; it can only make a payment harder."""

    limits: AccountLimits = field(default_factory=AccountLimits)
    preference: FactorPreference = FactorPreference.NONE


@dataclass(frozen=True, slots=True)
class MerchantLimits:
    """What the merchant allows one account by face, in minor units and payments a day (UTC)."""

    payment_minor: int = 50_000
    day_minor: int = 100_000
    day_payments: int = 50


class Accounts:
    """The accounts of one merchant's payers; `now_ms` gives UTC milliseconds since 1970."""

    def __init__(
        self,
        engine: Engine,
        store: Deriving,
        *,
        terminal: str,
        merchant: str,
        now_ms: Callable[[], int],
        limits: MerchantLimits | None = None,
        lockouts: Lockouts | None = None,
        pin_cost: Argon2Cost = PIN_COST,
    ) -> None:
        self._engine = engine
        self._store = store
        self._now_ms = now_ms
        self._limits = limits or MerchantLimits()
        self._lockouts = lockouts or Lockouts(engine, now_ms=now_ms)
        self._places = (Guarded(Scope.TERMINAL, terminal), Guarded(Scope.MERCHANT, merchant))
        self._pin_cost = pin_cost

    def enrol(
        self,
        account: str,
        pin: str | None,
        *,
        preference: FactorPreference = FactorPreference.NONE,
        limits: AccountLimits | None = None,
        payer: PayerToken | None = None,
    ) -> None:
        """Open an account, or set an existing one anew; enrolment alone turns a face on again.

        Args:
            payer: The payment provider's name of who pays, such as a card on file.

        Raises:
            PinMalformed: The PIN is not 4 to 12 digits.
        """
        limits = limits or AccountLimits()
        record = None if pin is None else make_pin_record(pin, account, self._store, cost=self._pin_cost)
        with writing(self._engine) as connection:
            connection.execute(delete(PayerAccountRow).where(PayerAccountRow.account == account))
            connection.execute(
                insert(PayerAccountRow).values(
                    account=account,
                    payer=payer,
                    pin=record,
                    preference=preference.value,
                    limit_payment_minor=limits.payment_minor,
                    limit_day_minor=limits.day_minor,
                    opened_at_ms=self._now_ms(),
                )
            )
        self._lockouts.clear(Guarded(Scope.ACCOUNT, account))

    def payer(self, account: str) -> PayerToken:
        """The payment provider's name of who pays; the account itself where none was set."""
        with reading(self._engine) as connection:
            known = connection.scalar(_PAYER, {"of_account": account})
        return PayerToken(known or account)

    def set_payer(self, account: str, payer: PayerToken | None) -> None:
        """The account pays through this from now on, such as a card that was put on file; None: nothing."""
        self._set(account, payer=payer, card_entry=None)

    def card_entry(self, account: str) -> str | None:
        """The provider's id of a card that is being entered for this account."""
        with reading(self._engine) as connection:
            this = PayerAccountRow.account == account
            return connection.scalar(select(PayerAccountRow.card_entry).where(this))

    def set_card_entry(self, account: str, entry: str) -> None:
        """Remember that a card is being entered, so that it can be finished at another time or place."""
        self._set(account, card_entry=entry)

    def _set(self, account: str, **values: object) -> None:
        with writing(self._engine) as connection:
            this = PayerAccountRow.account == account
            connection.execute(update(PayerAccountRow).where(this).values(**values))

    def choices(self, account: str) -> Choices:
        """What the shopper has chosen; the strictest choice for an account without a row."""
        with reading(self._engine) as connection:
            return _choices(connection, account)

    def choose(self, account: str, choices: Choices) -> None:
        """The shopper's own limits and wish for the PIN, from the next payment on.

        Raises:
            LimitExceeded: A limit is not above 0; the merchant's limits stay in force beside it.
        """
        limits = choices.limits
        if any(minor is not None and minor <= 0 for minor in (limits.payment_minor, limits.day_minor)):
            raise LimitExceeded("a limit of your own is above 0: leave it empty for none")
        self._set(
            account,
            limit_payment_minor=limits.payment_minor,
            limit_day_minor=limits.day_minor,
            preference=choices.preference.value,
        )

    def forget(self, account: str) -> None:
        """Remove limits and PIN record of an account whose holder withdrew."""
        with writing(self._engine) as connection:
            connection.execute(delete(PayerAccountRow).where(PayerAccountRow.account == account))
        self._lockouts.clear(Guarded(Scope.ACCOUNT, account))

    def last_paid_ms(self, account: str) -> int | None:
        """When this account paid last by face, at any terminal of the merchant; None: never."""
        with reading(self._engine) as connection:
            return last_paid_ms(connection, account)

    def require_usable(self, account: str, amount: Money) -> None:
        """Pass in silence where account and place are not locked and no limit forbids the amount.

        Raises:
            LockedOut: Too many failures in a row.
            LimitExceeded: A limit of the shopper or the merchant.
        """
        now_ms = self._now_ms()
        with reading(self._engine) as connection:
            self._lockouts.require_open(Guarded(Scope.ACCOUNT, account), *self._places, connection=connection)
            own = _choices(connection, account).limits
            spent, count = spent_since(connection, account, now_ms - now_ms % DAY_MS)
        if amount.minor > _least(self._limits.payment_minor, own.payment_minor):
            raise LimitExceeded("more than one payment by face may be")
        if spent + amount.minor > _least(self._limits.day_minor, own.day_minor):
            raise LimitExceeded("more than a day by face may be")
        if count >= self._limits.day_payments:
            raise LimitExceeded("more payments by face than a day may have")

    def require_place_open(self) -> None:
        """Pass in silence where terminal and merchant may try now; raises LockedOut."""
        self._lockouts.require_open(*self._places)

    def standing(self, account: str) -> Standing:
        """What was spent since the last PIN, and what the payer asked for; without a row always the PIN."""
        with reading(self._engine) as connection:
            spending = spending_of(connection, account, self._now_ms())
            return Standing(spending, _choices(connection, account).preference)

    def require_pin(self, account: str, pin: str) -> None:
        """Pass in silence where the PIN fits and the account is not locked; counts the failure otherwise.

        Raises:
            FactorFailed: Wrong, missing or locked: one error, one text, one amount of work.
        """
        guarded = Guarded(Scope.ACCOUNT, account)
        with reading(self._engine) as connection:
            record = connection.scalar(select(PayerAccountRow.pin).where(PayerAccountRow.account == account))
        try:
            require_pin(pin, account, record, self._store, cost=self._pin_cost)
            self._lockouts.require_open(guarded)
        except (PinRefused, LockedOut) as error:
            self._lockouts.fail(guarded, *self._places)
            raise FactorFailed("the PIN does not fit") from error

    def note_failure(self, account: str | None = None) -> None:
        """Count a failure to recognise at this place, and of the account where one was claimed."""
        own = () if account is None else (Guarded(Scope.ACCOUNT, account),)
        self._lockouts.fail(*own, *self._places)

    def note_success(self, account: str) -> None:
        """An approved payment ends the rows of failures of account, terminal and merchant."""
        self._lockouts.succeed(Guarded(Scope.ACCOUNT, account), *self._places)


def _least(merchant: int, own: int | None) -> int:
    return merchant if own is None else min(merchant, own)


def _choices(connection: Connection, account: str) -> Choices:
    row = connection.execute(_CHOICES, {"of_account": account}).one_or_none()
    if row is None:
        return Choices(preference=FactorPreference.ALWAYS_PIN)
    limits = AccountLimits(row.limit_payment_minor, row.limit_day_minor)
    return Choices(limits, FactorPreference(row.preference))
