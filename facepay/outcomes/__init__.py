"""The only map from an error to an answer: for the till, the shopper, the cashier and the operator."""

from facepay.outcomes.table import ROWS, UNFORESEEN, Row, outcome_of
from facepay.outcomes.words import LANGUAGES, CashierWords, ShopperWords, Words, load_words

__all__ = [
    "LANGUAGES",
    "ROWS",
    "UNFORESEEN",
    "CashierWords",
    "Row",
    "ShopperWords",
    "Words",
    "load_words",
    "outcome_of",
]
