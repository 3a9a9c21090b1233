"""Opens the text files that an operator names: score files, pairs, groups, and what a run writes."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from facepay.errors import InputUnusable


@contextmanager
def opened_text(path: Path) -> Iterator[TextIO]:
    """Open a text file in UTF-8, with or without a byte order mark, as it is or packed by gzip (`.gz`).

    Raises:
        InputUnusable: it is missing, may not be read, or is no text; named, also while it is being read.
    """
    try:
        opens = gzip.open if path.suffix == ".gz" else open
        with opens(path, "rt", newline="", encoding="utf-8-sig") as stream:
            yield stream
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise InputUnusable(f"{path} cannot be read: {why}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputUnusable(f"{path} is no text in UTF-8; save it as plain text or CSV") from error


@contextmanager
def written_text(path: Path) -> Iterator[TextIO]:
    """Open a text file in UTF-8 that takes its name when it is whole; packed by gzip where it ends on `.gz`.

    What was there before stays until then, and stays where the new one cannot be finished.

    Raises:
        InputUnusable: it cannot be written; named, with the reason.
    """
    fresh = path.with_name(f"{path.name}.new")
    try:
        opens = gzip.open if path.suffix == ".gz" else open
        with opens(fresh, "wt", encoding="utf-8") as stream:
            yield stream
        fresh.replace(path)
    except OSError as error:
        raise InputUnusable(
            f"{path} cannot be written: {error.strerror}; make room there, or name another place"
        ) from error
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def read_table(path: Path, stream: TextIO, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a CSV, each with its line number; commas, semicolons or tabs separate, cells are trimmed.

    Raises:
        InputUnusable: the first line does not name every one of `columns`, or a row lacks a cell.
    """
    first = stream.readline()
    names = [name.strip() for name in next(csv.reader([first], delimiter=_delimiter(first)), [])]
    if not set(columns) <= set(names):
        wanted = f"{', '.join(columns[:-1])} and {columns[-1]}"
        raise InputUnusable(f"{path}: the first line has to name the columns {wanted}")
    reader = csv.DictReader(stream, names, delimiter=_delimiter(first))
    for row in reader:
        line = reader.line_num + 1
        cells = {name: (row[name] or "").strip() for name in columns}
        empty = [name for name, cell in cells.items() if not cell]
        if empty:
            raise InputUnusable(f"{path}:{line}: nothing stands under {' and '.join(empty)}")
        yield line, cells


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)
