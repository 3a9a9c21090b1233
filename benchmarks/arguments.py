"""What benchmarks are told, and what they need: clear words where an argument or a folder is not right."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from facepay.errors import Fault
from facepay.recognition.pack_store import choose_pack

SKIPPED = 77
"""Exit status of a benchmark that lacks what it needs, as test harnesses since automake have it."""


def whole_numbers(words: Sequence[str], usage: str, most: int | None = None) -> list[int]:
    """The arguments as numbers of at least 1; ends the program, saying what was wrong, where they are not."""
    for word in words:
        if not (word.isascii() and word.isdecimal() and int(word) > 0):
            raise SystemExit(f"{word!r} is no whole number of at least 1; arguments: {usage}")
    if most is not None and len(words) > most:
        raise SystemExit(f"{words[most]!r} is one argument too many; arguments: {usage}")
    return [int(word) for word in words]


def need(variable: str, *inside: str) -> Path:
    """What lies below the folder that a variable names; ends the program as skipped where it is missing."""
    named = os.environ.get(variable)
    if not named:
        skip(f"{variable} is not set")
    path = Path(str(named), *inside)
    if not path.exists():
        skip(f"{variable} has no {'/'.join(inside) or 'folder'}")
    return path


def known_pack(name: str) -> str:
    """The name of a model pack; ends the program, saying which there are, where it is none."""
    try:
        choose_pack(name)
    except Fault as error:
        raise SystemExit(str(error)) from error
    return name


def skip(why: str) -> None:
    """End the program as skipped."""
    print(f"skipped: {why}")
    raise SystemExit(SKIPPED)
