"""What shoppers allow for themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from facepay.accounts import AccountLimits, Choices
from facepay.policy import FactorPreference
from facepay.web import WebDeps, create_app
from facepay.web.words import LANGUAGES
from tests.unit.web.test_account import FORM, OneAccount, enter

KEPT = Choices(AccountLimits(2_000, None), FactorPreference.ALWAYS_DIGITS)


class Kept:
    """Keeps the choices of one account."""

    def __init__(self) -> None:
        self.now = KEPT

    def choices(self, account: str) -> Choices:
        assert account == "fp1"
        return self.now

    def choose(self, account: str, choices: Choices) -> None:
        self.now = choices


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def shopper(deps: WebDeps, kept: Kept) -> FlaskClient:
    client = create_app(replace(deps, accounts=OneAccount(), choices=kept)).test_client()
    enter(client)
    return client


def choose(client: FlaskClient, **fields: str) -> tuple[int, str]:
    answer = client.post("/account/limits/", data=fields, headers=FORM)
    return answer.status_code, answer.get_data(as_text=True)


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_the_page_shows_what_is_chosen_in_every_language(shopper: FlaskClient, language: str) -> None:
    page = shopper.get(f"/account/limits/?lang={language}").get_data(as_text=True)
    assert f'value="{"20.00" if language == "en" else "20,00"}"' in page
    assert f'lang="{language}"' in page
    assert "/account/limits/" in shopper.get(f"/account/show?lang={language}").get_data(as_text=True)


def test_limits_and_the_wish_for_the_code_are_kept(shopper: FlaskClient, kept: Kept) -> None:
    status, page = choose(shopper, payment="15,50", day="40", always="yes")
    assert status == 200
    assert "Saved." in page
    assert kept.now == Choices(AccountLimits(1_550, 4_000), FactorPreference.ALWAYS_PIN)


def test_whoever_wanted_digits_still_gets_them(shopper: FlaskClient, kept: Kept) -> None:
    choose(shopper, payment="", day="")
    assert kept.now == Choices(AccountLimits(), FactorPreference.ALWAYS_DIGITS)


@pytest.mark.parametrize("amount", ["0", "-5", "1e3x", "20.001", "NaN", "1" * 19, "∞"])
def test_an_amount_that_is_none_changes_nothing(shopper: FlaskClient, kept: Kept, amount: str) -> None:
    status, page = choose(shopper, payment=amount, day="10")
    assert status == 400
    assert "amount above 0" in page
    assert kept.now == KEPT


def test_nobody_sets_limits_without_entering(deps: WebDeps, kept: Kept) -> None:
    stranger = create_app(replace(deps, accounts=OneAccount(), choices=kept)).test_client()
    assert stranger.get("/account/limits/").status_code == 403
    assert choose(stranger, payment="999")[0] == 403
    assert kept.now == KEPT
