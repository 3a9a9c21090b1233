"""What a shopper brings to an enrolment."""

from __future__ import annotations

import pytest

from facepay.enrolment import EnrolmentRequest, load_consent
from facepay.enrolment.consent_text import LANGUAGES
from facepay.errors import FactorFailed, SettingsError

CONSENT = load_consent("2026-11", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_its_own_text(language: str) -> None:
    text = load_consent("2026-11", language)
    assert len(text.text) > 500
    assert len(text.sha256) == 64
    assert language == "en" or text.sha256 != CONSENT.sha256


def test_an_unknown_version_or_language_is_named() -> None:
    with pytest.raises(SettingsError, match="consent_version"):
        load_consent("1999-01", "en")
    with pytest.raises(SettingsError, match=r"terminal\.language"):
        load_consent("2026-11", "tlh")


@pytest.mark.parametrize("pin", ["", "123", "12a4", "1234", "4321", "7777", "1" * 13, "２５８０"])
def test_a_code_that_is_none_or_is_guessed_first_is_refused(pin: str) -> None:
    with pytest.raises(FactorFailed):
        EnrolmentRequest(CONSENT, pin)


def test_digits_are_the_last_four() -> None:
    with pytest.raises(FactorFailed, match="last four"):
        EnrolmentRequest(CONSENT, "2580", digits="12")


def test_a_request_shows_no_code() -> None:
    assert "2580" not in repr(EnrolmentRequest(CONSENT, "2580", digits="9876"))
