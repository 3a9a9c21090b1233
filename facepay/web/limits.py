"""What shoppers allow for themselves: a limit a payment, a limit a day, and always the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Protocol

from flask import Blueprint, render_template

from facepay.accounts import AccountLimits, Choices
from facepay.policy import FactorPreference
from facepay.web.entering import entered
from facepay.web.inputs import fields, text
from facepay.web.language import phrases
from facepay.web.problems import BAD_INPUT, PageError
from pos_adapter.errors import PosError
from pos_adapter.types import Money


class ChoicesDesk(Protocol):
    """Where a shopper's own choices are kept."""

    def choices(self, account: str) -> Choices:
        """What is chosen now."""
        ...

    def choose(self, account: str, choices: Choices) -> None:
        """Choose anew; raises LimitExceeded for a limit that is not above 0."""
        ...


@dataclass(frozen=True, slots=True)
class Form:
    """The choices as fields of the page: amounts in major units, empty for no limit."""

    payment: str
    day: str
    always: bool


def limits_pages(desk: ChoicesDesk, currency: str) -> Blueprint:
    """The blueprint of `/account/limits`."""
    pages = Blueprint("limits", __name__, url_prefix="/account/limits")

    def page(form: Form, said: str = "", *, wrong: bool = False) -> str:
        return render_template("account_limits.html", form=form, said=said, wrong=wrong)

    @pages.get("/")
    def show() -> str:
        return page(_form_of(desk.choices(entered()), currency))

    @pages.post("/")
    def choose() -> str | tuple[str, int]:
        account = entered()
        values = fields()
        try:
            chosen = _choices_of(values, desk.choices(account).preference, currency)
        except PageError:
            typed = Form(text(values, "payment", 20), text(values, "day", 20), bool(values.get("always")))
            return page(typed, phrases()("limits-wrong"), wrong=True), 400
        desk.choose(account, chosen)
        return page(_form_of(desk.choices(account), currency), phrases()("limits-kept"))

    return pages


def _form_of(choices: Choices, currency: str) -> Form:
    limits = choices.limits
    return Form(
        _major(limits.payment_minor, currency),
        _major(limits.day_minor, currency),
        choices.preference is FactorPreference.ALWAYS_PIN,
    )


def _choices_of(values: Mapping[str, object], before: FactorPreference, currency: str) -> Choices:
    limits = AccountLimits(_minor(values, "payment", currency), _minor(values, "day", currency))
    if text(values, "always") == "yes":
        return Choices(limits, FactorPreference.ALWAYS_PIN)
    # Whoever asked for digits at sign-up still gets them asked for.
    kept = FactorPreference.NONE if before is FactorPreference.ALWAYS_PIN else before
    return Choices(limits, kept)


def _major(minor: int | None, currency: str) -> str:
    return "" if minor is None else phrases().figure(Money(minor, currency)).split()[0]


def _minor(values: Mapping[str, object], name: str, currency: str) -> int | None:
    typed = text(values, name, 20).replace(",", ".")
    if not typed:
        return None
    try:
        return Money.from_major(Decimal(typed), currency).require_payable().minor
    except (PosError, InvalidOperation) as error:
        raise PageError(BAD_INPUT, f"{name} is no amount above 0 in {currency}.") from error
