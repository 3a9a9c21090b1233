"""The sentences of the pages."""

from __future__ import annotations

import inspect
import re
import string
from pathlib import Path

import pytest

import facepay.web
from facepay.types import QualityHint
from facepay.web import rooms
from facepay.web.words import LANGUAGES, Words
from liveness.types import PromptKind
from pos_adapter.types import Money

TEMPLATES = Path(facepay.web.__file__).parent / "templates"


def blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_every_language_has_every_sentence_with_the_same_blanks(language: str) -> None:
    english, other = Words.load()["en"].sentences, Words.load()[language].sentences
    assert set(english) == set(other)
    assert {k for k in english if blanks(english[k]) != blanks(other[k])} == set()


def test_every_sentence_a_template_asks_for_exists() -> None:
    known = Words.load()["en"].sentences
    pattern = re.compile(r"""\bt\(["']([a-z0-9-]+)["'][,)]""")
    asked = {key for path in TEMPLATES.glob("*.html") for key in pattern.findall(path.read_text("utf-8"))}
    assert asked - set(known) == set()


def test_every_hint_and_prompt_has_a_sentence_and_an_icon() -> None:
    known = Words.load()["en"].sentences
    icons = (TEMPLATES / "_icons.html").read_text("utf-8")
    names = [f"hint-{hint.value}" for hint in QualityHint] + [f"prompt-{kind.value}" for kind in PromptKind]
    assert [name for name in names if name not in known or f'id="{name}"' not in icons] == []


def test_figures_are_written_as_each_language_writes_them() -> None:
    words = Words.load()
    assert words["en"].figure(Money(940, "EUR")) == "9.40 EUR"
    assert {words[code].figure(Money(940, "EUR")) for code in ("de", "fr", "es")} == {"9,40 EUR"}
    assert words["de"].figure(Money(1240, "JPY")) == "1240 JPY"


def test_every_part_of_the_terminal_has_a_name_on_the_console() -> None:
    named = set(re.findall(r'Part\("([a-z]+)"', inspect.getsource(rooms)))
    assert named
    assert {name for name in named if f"part-{name}" not in Words.load()["en"].sentences} == set()


def test_no_sentence_speaks_of_attacks() -> None:
    for language in LANGUAGES:
        text = " ".join(Words.load()[language].sentences.values()).lower()
        assert not re.search(r"spoof|attack|angriff|attaque|ataque|fraud|betrug", text)


def test_the_language_follows_wish_browser_and_shop_in_that_order() -> None:
    words = Words.load("fr")
    assert words.choose("de", "es").language == "de"
    assert words.choose("", "es").language == "es"
    assert words.choose("xx", None).language == "fr"
