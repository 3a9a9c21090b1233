"""One answer for every error of the house."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import facepay
import hardware
import keys
import liveness
import pos_adapter
from facepay import errors
from facepay.errors import SettingsError
from facepay.journal import RequestChanged
from facepay.outcomes import LANGUAGES, ROWS, UNFORESEEN, CashierWords, ShopperWords, load_words, outcome_of
from facepay.psp.base import PspError, PspUnreachable
from pos_adapter.types import Outcome

PACKAGES = (facepay, hardware, keys, liveness, pos_adapter)

PRIVATE = frozenset({"PageError", "CardsUnavailable"})
"""Exceptions that never reach a sale: the pages turn theirs into a page. Underscored names stay in a file."""


def bases_of_every_class() -> dict[str, set[str]]:
    """Every class of the house and its bases, read off the source so that no driver is imported."""
    found: dict[str, set[str]] = {}
    for package in PACKAGES:
        for path in sorted(Path(package.__path__[0]).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef):
                    bases = {ast.unparse(base).split(".")[-1] for base in node.bases}
                    found.setdefault(node.name, set()).update(bases)
    return found


CLASSES = bases_of_every_class()


def ancestry(name: str) -> set[str]:
    return {name}.union(*(ancestry(base) for base in CLASSES.get(name, ()) if base != name))


@pytest.mark.parametrize("name", sorted(n for n in CLASSES if "Exception" in ancestry(n) and n[0] != "_"))
def test_every_error_class_has_a_row(name: str) -> None:
    # FacepayError itself is raised nowhere; it only joins the two families.
    assert name in {"FacepayError", *PRIVATE} or ancestry(name) & {kind.__name__ for kind in ROWS}


def test_an_error_nobody_foresaw_fails_and_alerts() -> None:
    row = outcome_of(ZeroDivisionError())
    assert row is UNFORESEEN
    assert (row.outcome, row.alert) == (Outcome.FAILURE, True)


def test_everything_about_who_stands_there_has_one_answer() -> None:
    kinds = (
        errors.AttackSuspected,
        errors.NoMatch,
        errors.AmbiguousMatch,
        errors.NotEnrolled,
        errors.FactorFailed,
        errors.LimitExceeded,
    )
    assert len({outcome_of(kind()) for kind in kinds}) == 1


def test_an_unknown_outcome_is_never_told_as_a_refusal() -> None:
    for error in (errors.OutcomeUnknown(), PspError()):
        assert outcome_of(error).outcome is Outcome.PROVIDER_UNKNOWN
    assert outcome_of(PspUnreachable()).outcome is Outcome.PROVIDER_UNREACHABLE


def test_a_changed_request_is_the_tills_mistake() -> None:
    assert outcome_of(RequestChanged()).outcome is Outcome.BAD_REQUEST


def test_every_fault_alerts() -> None:
    assert all(row.alert for kind, row in ROWS.items() if issubclass(kind, errors.Fault))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_sentence(language: str) -> None:
    words = load_words(language)
    assert set(words.shopper) == set(ShopperWords)
    assert set(words.cashier) == set(CashierWords)
    assert all(text.strip() == text and text.endswith((".", "!")) for text in words.shopper.values())


def test_sentences_of_two_languages_differ() -> None:
    texts = [frozenset(load_words(language).cashier.values()) for language in LANGUAGES]
    assert not texts[0] & texts[1] & texts[2] & texts[3]


def test_a_language_without_words_is_named() -> None:
    with pytest.raises(SettingsError, match=r"'it'.*en, de, fr, es"):
        load_words("it")
