from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pos_adapter.currencies import BY_NUMERIC, CURRENCIES, currency_of
from pos_adapter.errors import AmountNotRepresentable, UnknownCurrency
from pos_adapter.types import ExchangeKey, Money, Outcome, PaymentResponse, TransactionId

LONG = "1." + "0" * 40 + "1"


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.40", "EUR", 1240),
        ("12.4", "978", 1240),
        ("1240", "JPY", 1240),
        ("1.234", "KWD", 1234),
        ("-1", "EUR", -100),
        ("1E1", "EUR", 1000),
        ("1.000000", "EUR", 100),
        ("9999999999.99", "EUR", 999_999_999_999),
    ],
)
def test_major_units_become_exact_minor_units(text: str, currency: str, minor: int) -> None:
    assert Money.from_major(text, currency).minor == minor


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        "",
        "x",
        "1.001",
        "1e400",
        "1e999999999",
        "10000000000.00",
        LONG,
    ],
)
def test_what_is_no_whole_number_of_minor_units_is_refused(text: str) -> None:
    with pytest.raises(AmountNotRepresentable):
        Money.from_major(text, "EUR")


@pytest.mark.parametrize("minor", [1.0, True, "1", None, 10**12])
def test_minor_units_are_integers_of_twelve_digits(minor: object) -> None:
    with pytest.raises(AmountNotRepresentable):
        Money(minor, "EUR")  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["XTS", "EURO", "", "eur", "000", "XAU"])
def test_an_unknown_currency_is_named(code: str) -> None:
    with pytest.raises(UnknownCurrency, match="ISO 4217"):
        currency_of(code)


def test_the_currency_table_has_unique_codes_and_known_exponents() -> None:
    assert len(CURRENCIES) == len(BY_NUMERIC) == 165
    found = {code: CURRENCIES[code].exponent for code in ("EUR", "JPY", "KWD", "CLF", "ISK", "TND", "HUF")}
    assert found == {"EUR": 2, "JPY": 0, "KWD": 3, "CLF": 4, "ISK": 0, "TND": 3, "HUF": 2}


def test_money_prints_with_its_currencys_decimals() -> None:
    assert [str(Money(1240, c)) for c in ("EUR", "JPY", "KWD")] == ["12.40 EUR", "1240 JPY", "1.240 KWD"]


@pytest.mark.parametrize("minor", [0, -1])
def test_only_positive_amounts_are_payable(minor: int) -> None:
    with pytest.raises(AmountNotRepresentable):
        Money(minor, "EUR").require_payable()


def test_keys_never_collide_through_their_separators() -> None:
    assert ExchangeKey("a", "b/c", "d", "e").text != ExchangeKey("a", "b", "c/d", "e").text
    assert ExchangeKey("a", "b%2Fc", "d", "e").text != ExchangeKey("a", "b/c", "d", "e").text


def test_an_approval_carries_its_amount_and_transaction_and_a_refusal_none() -> None:
    amount, at = Money(1, "EUR"), datetime.now(UTC)
    with pytest.raises(AmountNotRepresentable):
        PaymentResponse(Outcome.APPROVED, amount, at)
    with pytest.raises(AmountNotRepresentable):
        PaymentResponse(Outcome.NO_MATCH, amount, at, authorised=amount)
    with pytest.raises(AmountNotRepresentable):
        PaymentResponse(Outcome.APPROVED, amount, at, authorised=amount)
    PaymentResponse(Outcome.APPROVED, amount, at, TransactionId("T1"), authorised=amount)
