"""The sentences of the pages in four languages, kept as data files beside the templates.

How an outcome is told belongs to `facepay.outcomes`, whose sentences are looked up here too.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

from facepay.outcomes import load_words

LANGUAGES: Mapping[str, str] = MappingProxyType(
    {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}
)
FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Phrases:
    """The sentences of one language; calling it gives one, with its blanks filled."""

    language: str
    sentences: Mapping[str, str]
    shopper: Mapping[str, str]
    cashier: Mapping[str, str]

    def __call__(self, key: str, /, **values: object) -> str:
        """The sentence `key`; a missing one is an error of ours and raises KeyError."""
        return self.sentences[key].format(**values) if values else self.sentences[key]

    def figure(self, figure: object) -> str:
        """`9.40 EUR` with this language's decimal mark; for people only, wires and books keep the point."""
        return str(figure).replace(".", self("decimal-mark"))

    def find(self, key: str) -> str:
        """The sentence `key`, or nothing where there is none."""
        return self.sentences.get(key, "")

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """Code and short name of every language, for the switch on the pages."""
        return tuple((code, code.upper()) for code in LANGUAGES)


class Words:
    """All languages, and which one a request reads."""

    def __init__(self, languages: Mapping[str, Phrases], default: str) -> None:
        self._languages = languages
        self._default = default

    @classmethod
    def load(cls, default: str = FALLBACK) -> Words:
        """Read the data files that come with the package."""
        return cls({code: _read(code) for code in LANGUAGES}, default if default in LANGUAGES else FALLBACK)

    def choose(self, asked: str, accepted: str | None) -> Phrases:
        """The language that was asked for, else the best one the browser accepts, else the shop's."""
        return self._languages.get(asked) or self._languages.get(accepted or "") or self[self._default]

    def __getitem__(self, language: str) -> Phrases:
        return self._languages[language]


def _read(code: str) -> Phrases:
    text = files("facepay.web").joinpath("words", f"{code}.toml").read_text("utf-8")
    said = load_words(code)
    shopper = {key.value: sentence for key, sentence in said.shopper.items()}
    cashier = {key.value: sentence for key, sentence in said.cashier.items()}
    return Phrases(code, tomllib.loads(text), shopper, cashier)
