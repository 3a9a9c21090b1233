"""What the gallery needs of a matcher; recognition has one, plugins may bring others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from facepay.types import CandidateList, ModelId, Probe, Reference, SubjectId


class Matcher(Protocol):
    """Holds plain references in memory and compares a probe with them. Safe to use from any thread."""

    @property
    def model(self) -> ModelId:
        """The recogniser whose references it takes."""
        ...

    def add(self, references: Sequence[Reference]) -> None:
        """Take references; raises ModelMismatch for those of another recogniser."""
        ...

    def remove(self, subject: SubjectId) -> int:
        """Forget every reference of a subject, overwrite their memory, and tell how many there were."""
        ...

    def search(
        self, probe: Probe, count: int = 2, among: Collection[SubjectId] | None = None
    ) -> CandidateList:
        """The `count` most similar subjects, best first; `among` narrows to a few."""
        ...
