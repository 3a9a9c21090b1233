"""From a value of TOML, or the text of an environment variable, to the type its field declares."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path

from facepay.errors import SettingsError
from facepay.settings.secret import SecretReference

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


def unknown(name: str, known: Iterable[str]) -> SettingsError:
    """The error for a key nobody knows, naming the nearest one that exists."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    advice = f"did you mean {near[0]}?" if near else f"known are: {', '.join(names)}"
    return SettingsError(f"unknown setting {name}: {advice}")


def section_from(kind: type, values: Mapping[str, object], where: str) -> object:
    """Build the dataclass `kind` from a table of values; `where` prefixes names in errors."""
    hints = typing.get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind)}
    made: dict[str, object] = {}
    for name, value in values.items():
        full = f"{where}.{name}" if where else name
        if name not in fields:
            raise unknown(full, [f"{where}.{known}" if where else known for known in fields])
        made[name] = _checked(_converted(hints[name], value, full), fields[name].metadata, full)
    return kind(**made)


def _converted(hint: object, value: object, name: str) -> object:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint is not SecretReference:
        if not isinstance(value, Mapping):
            raise SettingsError(f"{name} is a section: write [{name}] and its keys below it")
        return section_from(hint, value, name)
    if typing.get_origin(hint) is tuple:
        return _items(typing.get_args(hint)[0], value, name)
    if typing.get_origin(hint) is not None:
        if not isinstance(value, Mapping):
            raise SettingsError(f"{name} is a table of options: write {name} = {{ key = value }}")
        return types.MappingProxyType(dict(value))
    return _scalar(hint, value, name)


def _items(kind: object, value: object, name: str) -> tuple[object, ...]:
    parts = [part for part in value.split(",") if part] if isinstance(value, str) else value
    if not isinstance(parts, list):
        raise SettingsError(f'{name} is a list: write {name} = ["..."]')
    return tuple(_scalar(kind, part, name) for part in parts)


def _scalar(kind: object, value: object, name: str) -> object:
    if kind is bool:
        return _truth(value, name)
    if kind in {int, float}:
        return _number(int if kind is int else float, value, name)
    if not isinstance(value, str):
        raise SettingsError(f'{name} is text: write {name} = "..."')
    if kind is Path:
        return Path(value).expanduser()
    if kind is SecretReference:
        return _secret(value, name)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _member(kind, value, name)
    return value


def _truth(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in TRUE | FALSE:
        return value.lower() in TRUE
    raise SettingsError(f"{name} is true or false, not {value!r}")


def _number(kind: type[int] | type[float], value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise SettingsError(f"{name} is a number, not {value!r}")
    if kind is int and isinstance(value, float):
        raise SettingsError(f"{name} is a whole number, not {value!r}")
    try:
        number = kind(value)
    except ValueError as error:
        raise SettingsError(f"{name} is a number, not {value!r}") from error
    if not math.isfinite(number):
        raise SettingsError(f"{name} is a finite number, not {value!r}")
    return number


def _secret(value: str, name: str) -> SecretReference:
    try:
        return SecretReference(value)
    except SettingsError as error:
        raise SettingsError(f"{name}: {error}") from error


def _member(kind: type[Enum], value: str, name: str) -> Enum:
    try:
        return kind(value)
    except ValueError as error:
        words = ", ".join(str(member.value) for member in kind)
        raise SettingsError(f"{name} is one of {words}, not {value!r}") from error


def _inside(value: float, low: object, high: object) -> bool:
    return isinstance(low, int | float) and isinstance(high, int | float) and low <= value <= high


def _checked(value: object, limits: Mapping[str, object], name: str) -> object:
    low, high, allowed = limits.get("low"), limits.get("high"), limits.get("allowed")
    if low is not None and isinstance(value, int | float) and not _inside(value, low, high):
        raise SettingsError(f"{name} is between {low} and {high}, not {value:g}")
    if isinstance(allowed, tuple) and value not in allowed:
        raise SettingsError(f"{name} is one of {', '.join(allowed)}, not {value!r}")
    return value
