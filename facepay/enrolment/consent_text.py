"""The consent text: data files by language, each with its version; what was agreed to can be shown for ever.

A changed text is a new version with a new file name; old files stay, because consents name them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources

from facepay.errors import SettingsError

LANGUAGES = ("en", "de", "fr", "es")


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One version in one language; `sha256` binds a consent to every letter of it."""

    version: str
    language: str
    text: str

    @property
    def sha256(self) -> str:
        """Lowercase hex digest of the text in UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def load_consent(version: str, language: str) -> ConsentText:
    """Read a consent text.

    Raises:
        SettingsError: there is no such version in this language.
    """
    file = resources.files("facepay.enrolment") / "consent" / f"{version}.{language}.txt"
    if language not in LANGUAGES or not file.is_file():
        raise SettingsError(
            f"there is no consent text {version} in {language!r}: check enrolment.consent_version and "
            "terminal.language"
        )
    return ConsentText(version, language, file.read_text("utf-8"))
