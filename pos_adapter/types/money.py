"""Amounts: whole minor units of an ISO 4217 currency, never floats."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from pos_adapter.currencies import currency_of
from pos_adapter.errors import AmountNotRepresentable

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
