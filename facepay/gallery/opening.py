"""Opens sealed references for the search memory: what opens, who is left out, and which models they name."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

from facepay.gallery.rows import StoredReference
from facepay.gallery.sealing import unseal_all
from facepay.types import Reference, SubjectId
from keys.base import Wrapping
from keys.errors import KeyUnavailable

PART = 16_384
"""Rows that are opened before they are taken into the search."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Opened:
    """What opening some rows gave: references, payers of whom one does not open, and the models named.

    `lacks_keys` is whether a key was missing; otherwise what does not open was altered or moved.
    """

    references: list[Reference] = field(default_factory=list)
    broken: set[SubjectId] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    lacks_keys: bool = False

    @property
    def whole(self) -> list[Reference]:
        """The references of payers all of whose references open."""
        return [reference for reference in self.references if reference.subject not in self.broken]


def open_references(sealed: Iterable[StoredReference], keys: Wrapping) -> Opened:
    """Open every row; what does not open is told to the operator's log."""
    opened = Opened()
    for row, result in unseal_all(sealed, keys):
        opened.models.add(row.model)
        if isinstance(result, Reference):
            opened.references.append(result)
        else:
            log.error("payer %s is left out: %s", row.subject, result)
            opened.broken.add(SubjectId(row.subject))
            opened.lacks_keys |= isinstance(result.__cause__, KeyUnavailable)
    return opened


def open_in_parts(sealed: Iterable[StoredReference], keys: Wrapping) -> Iterator[Opened]:
    """Open a whole gallery, so many rows at a time that its plain rows never all stand beside the search."""
    rows = iter(sealed)
    while part := list(islice(rows, PART)):
        yield open_references(part, keys)


@contextmanager
def without_collection() -> Iterator[None]:
    """No garbage collection meanwhile: a hundred thousand objects come, none of them in a cycle.

    A full collection walks every object of the process, which takes as long as opening two thousand rows.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
