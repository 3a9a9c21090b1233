"""Reads the settings: embedded defaults, then one TOML file, then `FACEPAY_*` variables.

`FACEPAY_SECTION_KEY` sets one key of a section, for example `FACEPAY_WEB_PORT=9000`. Three names
are short because they are typed often: `FACEPAY_PROFILE`, `FACEPAY_DATA` and `FACEPAY_MODELS`.
"""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from facepay.errors import SettingsError
from facepay.settings.convert import section_from, unknown
from facepay.settings.profiles import require_fit
from facepay.settings.sections import Settings

# Read by the command line, the tests or CI; they are no settings of a terminal.
OTHERS = frozenset(
    {"FACEPAY_SETTINGS", "FACEPAY_PHOTOS", "FACEPAY_VECTORS", "FACEPAY_REQUIRE", "FACEPAY_DEBUG"}
)
REFERENCE = re.compile(r"\benv:(FACEPAY_\w+)")
SHORT = {
    "FACEPAY_PROFILE": ("", "profile"),
    "FACEPAY_DATA": ("", "data"),
    "FACEPAY_MODELS": ("recognition", "models"),
}


def load_settings(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of this terminal.

    Args:
        path: the TOML file; without it `FACEPAY_SETTINGS`, without that only defaults.
        environ: the variables of the process.

    Raises:
        SettingsError: a file, key or value is wrong; the text names it and what to write.
    """
    named = path or (Path(environ["FACEPAY_SETTINGS"]) if environ.get("FACEPAY_SETTINGS") else None)
    return settings_from(_read(named) if named else {}, environ)


def settings_from(table: Mapping[str, object], environ: Mapping[str, str] | None = None) -> Settings:
    """Build settings from a parsed table and variables; what `load_settings` does after reading."""
    merged: dict[str, object] = {k: dict(v) if isinstance(v, Mapping) else v for k, v in table.items()}
    variables = environ or {}
    for section, key, value in _variables(variables, _referenced(merged) | _referenced(variables)):
        place = merged.setdefault(section, {}) if section else merged
        if not isinstance(place, dict):
            raise SettingsError(f"{section} is a section: write [{section}] and its keys below it")
        place[key] = value
    merged.setdefault("data", platformdirs.user_data_dir("facepay", appauthor=False))
    settings = section_from(Settings, merged, "")
    assert isinstance(settings, Settings)  # noqa: S101 - tells mypy what section_from built
    require_fit(settings)
    return settings


def _read(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.expanduser().read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file {path} is not TOML: {error}") from error


def _referenced(value: object) -> frozenset[str]:
    """Names of the variables that hold secrets: they are no settings, whatever they begin with."""
    if isinstance(value, str):
        return frozenset(REFERENCE.findall(value))
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return frozenset().union(*(_referenced(part) for part in parts))


def _variables(environ: Mapping[str, str], secrets: frozenset[str]) -> list[tuple[str, str, str]]:
    known = {f"FACEPAY_{s}_{k}".upper(): (s, k) for s, k in _keys()} | SHORT
    found = []
    for name, value in sorted(environ.items()):
        # An empty variable is one that somebody meant to unset.
        if not name.startswith("FACEPAY_") or name in OTHERS | secrets or not value:
            continue
        if name not in known:
            raise unknown(name, known)
        text = value.replace(os.pathsep, ",") if name == "FACEPAY_MODELS" else value
        found.append((*known[name], text))
    return found


def _keys() -> list[tuple[str, str]]:
    empty = Settings()
    return [
        (section.name, key.name)
        for section in dataclasses.fields(Settings)
        for value in [getattr(empty, section.name)]
        if dataclasses.is_dataclass(value)
        for key in dataclasses.fields(value)
    ]
