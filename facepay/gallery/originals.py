"""Reads a few payers' references once more, for a comparison that packed rows in memory leave open.

What is opened is in memory already, only packed; so it is no new opening for the audit log, and the matcher
overwrites it after one comparison.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from facepay.db.session import Database
from facepay.errors import DatabaseFault
from facepay.gallery import rows
from facepay.gallery.opening import open_references
from facepay.types import Reference, SubjectId
from keys.base import Wrapping

log = logging.getLogger(__name__)


class SealedOriginals:
    """The references of one tenant's payers as they are sealed in the database."""

    def __init__(self, database: Database, keys: Wrapping, tenant: str) -> None:
        self._database = database
        self._keys = keys
        self._tenant = tenant

    def __call__(self, subjects: Sequence[SubjectId]) -> list[Reference]:
        """Every reference of these payers; those of a payer with one that does not open are left out."""
        try:
            with self._database.read() as session:
                sealed = rows.read_payers(session, self._tenant, subjects)
        except DatabaseFault as error:
            log.warning("payers that look alike are told apart by packed rows alone: %s", error)
            return []
        opened = open_references(sealed, self._keys)
        for reference in opened.references:
            if reference.subject in opened.broken:
                reference.features[:] = 0.0
        return opened.whole
