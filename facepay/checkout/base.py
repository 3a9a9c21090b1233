"""What the checkout needs of a payer's account."""

from __future__ import annotations

from typing import Protocol

from facepay.policy import Standing
from facepay.psp.base import PayerToken
from pos_adapter.types import Money


class PayerAccounts(Protocol):
    """Limits, lock-outs, spending and PINs of the payers."""

    def require_usable(self, account: str, amount: Money) -> None:
        """Raise LimitExceeded where a lock-out or one of the payer's own limits forbids this payment."""
        ...

    def standing(self, account: str) -> Standing:
        """What was spent since the last PIN, and what the payer asked for at enrolment."""
        ...

    def payer(self, account: str) -> PayerToken:
        """The payment provider's name of who pays."""
        ...

    def require_pin(self, account: str, pin: str) -> None:
        """Raise FactorFailed when the PIN is wrong, missing or locked; counts the failure."""
        ...

    def note_failure(self, account: str | None = None) -> None:
        """Count a failure to recognise here, and of the account where one was claimed."""
        ...

    def note_success(self, account: str) -> None:
        """An approved payment ends the rows of failures."""
        ...
