"""Who can be found by their face, and by which references: what the matcher holds, without the features.

40 bytes a reference, so that a million of them stay small beside their features.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from facepay.recognition.owners import RowOwners
from facepay.recognition.packed_ids import PackedIds
from facepay.types import Reference, SubjectId


class Roll:
    """The payers of a gallery with the ids of their references."""

    def __init__(self) -> None:
        self._owners = RowOwners()
        self._references = PackedIds()

    @property
    def payers(self) -> int:
        """How many payers there are."""
        return self._owners.subjects

    @property
    def references(self) -> int:
        """How many references they have."""
        return self._owners.size

    def count(self, among: Collection[SubjectId]) -> int:
        """How many references some payers have."""
        return len(self._owners.rows_of(among))

    def ids(self, among: Collection[SubjectId] | None = None) -> dict[SubjectId, tuple[str, ...]]:
        """The references of some payers, or of all, by payer; who is not here has no entry."""
        rows = range(self.references) if among is None else self._owners.rows_of(among).tolist()
        found: dict[SubjectId, tuple[str, ...]] = {}
        for row in rows:
            subject = self._owners.owner(row)
            found[subject] = (*found.get(subject, ()), self._references[row])
        return found

    def enter(self, references: Sequence[Reference]) -> None:
        """Take references in."""
        self._owners.append([reference.subject for reference in references])
        self._references.append([reference.reference for reference in references])

    def strike(self, subject: SubjectId) -> None:
        """Take a payer out."""
        for row in self._owners.forget(subject):
            self._references.discard(self._references[row])
            self._references.drop(row)
