"""The sentences of the pages in four languages, kept as data files beside the templates.

What an outcome is called belongs to `facepay.outcomes`; here is only what stands on the pages.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

LANGUAGES: Mapping[str, str] = MappingProxyType(
    {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}
)
FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Phrases:
    """The sentences of one language; calling it gives one, with its blanks filled."""

    language: str
    sentences: Mapping[str, str]

    def __call__(self, key: str, /, **values: object) -> str:
        """The sentence `key`; a missing one is an error of ours and raises KeyError."""
        return self.sentences[key].format(**values) if values else self.sentences[key]

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
        folder = files("facepay.web").joinpath("words")
        languages = {
            code: Phrases(code, tomllib.loads(folder.joinpath(f"{code}.toml").read_text("utf-8")))
            for code in LANGUAGES
        }
        return cls(languages, default if default in languages else FALLBACK)

    def choose(self, asked: str, accepted: str | None) -> Phrases:
        """The language that was asked for, else the best one the browser accepts, else the shop's."""
        return self._languages.get(asked) or self._languages.get(accepted or "") or self[self._default]

    def __getitem__(self, language: str) -> Phrases:
        return self._languages[language]
