"""What the shopper and the cashier read, in four languages, from data files.

One key may serve many errors on purpose: everything that has to do with who stands there says the same
words, so that nobody learns from the screen whether it was the face, the digits, the PIN or a lock-out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import resources

from facepay.errors import SettingsError

LANGUAGES = ("en", "de", "fr", "es")
"""Languages a file of words exists for."""


class ShopperWords(Enum):
    """Keys of what the shopper reads."""

    APPROVED = "approved"
    CARD_PLEASE = "card_please"
    CARD_CHOSEN = "card_chosen"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    NOT_PAID = "not_paid"
    OUT_OF_ORDER = "out_of_order"
    ONE_MOMENT = "one_moment"
    BUSY = "busy"


class CashierWords(Enum):
    """Keys of what the cashier reads."""

    APPROVED = "approved"
    CARD_PLEASE = "card_please"
    CARD_CHOSEN = "card_chosen"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    NOT_PAID = "not_paid"
    OUT_OF_ORDER = "out_of_order"
    PROVIDER_UNREACHABLE = "provider_unreachable"
    WAIT_UNKNOWN = "wait_unknown"
    BUSY = "busy"
    BAD_REQUEST = "bad_request"
    REQUEST_CHANGED = "request_changed"
    NOT_ALLOWED = "not_allowed"
    CALL_OPERATOR = "call_operator"


@dataclass(frozen=True, slots=True)
class Words:
    """All sentences of one language."""

    language: str
    shopper: Mapping[ShopperWords, str]
    cashier: Mapping[CashierWords, str]


def load_words(language: str) -> Words:
    """Read the file of a language.

    Raises:
        SettingsError: There is no such language here, or its file lacks a sentence.
    """
    if language not in LANGUAGES:
        raise SettingsError(f"no words in {language!r}: choose one of {', '.join(LANGUAGES)}")
    text = (resources.files(__package__) / "words" / f"{language}.toml").read_text("utf-8")
    data = tomllib.loads(text)
    try:
        shopper = {key: str(data["shopper"][key.value]) for key in ShopperWords}
        cashier = {key: str(data["cashier"][key.value]) for key in CashierWords}
    except KeyError as error:
        raise SettingsError(f"the words in {language!r} lack the sentence {error}") from error
    return Words(language, shopper, cashier)
