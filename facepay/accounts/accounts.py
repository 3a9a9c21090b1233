"""One payer's account as the checkout sees it: may it be used, what has it spent, does the PIN fit.

Refusals about who stands there are all `Declined` with one row in `facepay.outcomes`; a PIN check takes
the same work whether the account is locked, has no PIN or does not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, delete, insert, select, update

from facepay.accounts.lockouts import Guarded, LockedOut, Lockouts, Scope
from facepay.accounts.spending import spending_of, spent_since
from facepay.db.models.accounts import PayerAccountRow
from facepay.db.transaction import reading, writing
from facepay.errors import FactorFailed, LimitExceeded
from facepay.policy import FactorPreference, Spending
from facepay.psp.base import PayerToken
from keys.base import Deriving
from keys.passphrase import Argon2Cost
from keys.pins import PIN_COST, PinRefused, make_pin_record, require_pin
from pos_adapter.types import Money

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """What the shopper allows for themselves, in minor units; None: no limit of their own."""

    payment_minor: int | None = None
    day_minor: int | None = None


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
            known = connection.scalar(select(PayerAccountRow.payer).where(PayerAccountRow.account == account))
        return PayerToken(known or account)

    def set_payer(self, account: str, payer: PayerToken) -> None:
        """The account pays through this from now on, such as a card that was put on file."""
        with writing(self._engine) as connection:
            this = PayerAccountRow.account == account
            connection.execute(update(PayerAccountRow).where(this).values(payer=payer))

    def set_limits(self, account: str, limits: AccountLimits) -> None:
        """The shopper's own limits, from now on."""
        with writing(self._engine) as connection:
            connection.execute(
                update(PayerAccountRow)
                .where(PayerAccountRow.account == account)
                .values(limit_payment_minor=limits.payment_minor, limit_day_minor=limits.day_minor)
            )

    def forget(self, account: str) -> None:
        """Remove limits and PIN record of an account whose holder withdrew."""
        with writing(self._engine) as connection:
            connection.execute(delete(PayerAccountRow).where(PayerAccountRow.account == account))
        self._lockouts.clear(Guarded(Scope.ACCOUNT, account))

    def require_usable(self, account: str, amount: Money) -> None:
        """Pass in silence where account and place are not locked and no limit forbids the amount.

        Raises:
            LockedOut: Too many failures in a row.
            LimitExceeded: A limit of the shopper or the merchant.
        """
        self._lockouts.require_open(Guarded(Scope.ACCOUNT, account), *self._places)
        now_ms = self._now_ms()
        with reading(self._engine) as connection:
            row = connection.execute(
                select(PayerAccountRow.limit_payment_minor, PayerAccountRow.limit_day_minor).where(
                    PayerAccountRow.account == account
                )
            ).one_or_none()
            spent, count = spent_since(connection, account, now_ms - now_ms % DAY_MS)
        own = AccountLimits(*row) if row else AccountLimits()
        if amount.minor > _least(self._limits.payment_minor, own.payment_minor):
            raise LimitExceeded("more than one payment by face may be")
        if spent + amount.minor > _least(self._limits.day_minor, own.day_minor):
            raise LimitExceeded("more than a day by face may be")
        if count >= self._limits.day_payments:
            raise LimitExceeded("more payments by face than a day may have")

    def require_place_open(self) -> None:
        """Pass in silence where terminal and merchant may try now; raises LockedOut."""
        self._lockouts.require_open(*self._places)

    def spending(self, account: str) -> Spending:
        """What was spent since the last PIN."""
        with reading(self._engine) as connection:
            return spending_of(connection, account, self._now_ms())

    def preference(self, account: str) -> FactorPreference:
        """What the payer asked for; an account without a row always takes the PIN."""
        with reading(self._engine) as connection:
            value = connection.scalar(
                select(PayerAccountRow.preference).where(PayerAccountRow.account == account)
            )
        return FactorPreference.ALWAYS_PIN if value is None else FactorPreference(value)

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
