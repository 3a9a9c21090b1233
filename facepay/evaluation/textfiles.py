"""Opens the text files that an operator names: score files, pairs, groups."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from facepay.errors import InputUnusable


@contextmanager
def opened_text(path: Path) -> Iterator[TextIO]:
    """Open a text file in UTF-8, with or without a byte order mark.

    Raises:
        InputUnusable: it is missing, may not be read, or is no text; named, also while it is being read.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            yield stream
    except OSError as error:
        raise InputUnusable(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputUnusable(f"{path} is no text in UTF-8; save it as plain text or CSV") from error
