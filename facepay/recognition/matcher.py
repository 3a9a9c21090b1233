"""Exact one-to-many comparison over one contiguous array that enrolments and erasures keep in step."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from facepay.errors import ModelMismatch
from facepay.recognition.base import FeatureRows
from facepay.types import Candidate, CandidateList, ModelId, Probe, Reference, SubjectId

_FIRST_CAPACITY = 64


class Matcher:
    """References of one recogniser, searched by cosine; safe to use from several threads.

    Rows live in `float32[capacity, D]`; a removed reference is overwritten before its row is reused.
    """

    def __init__(self, model: ModelId, dimensions: int, capacity: int = _FIRST_CAPACITY) -> None:
        self._model = model
        self._rows: FeatureRows = np.zeros((max(1, capacity), dimensions), np.float32)
        self._subjects: list[SubjectId] = []
        self._rows_of: dict[SubjectId, set[int]] = {}
        self._lock = threading.Lock()

    @property
    def model(self) -> ModelId:
        """The recogniser whose features are compared here."""
        return self._model

    @property
    def dimensions(self) -> int:
        """Length of a feature row."""
        return int(self._rows.shape[1])

    @property
    def size(self) -> int:
        """How many references are compared."""
        return len(self._subjects)

    @property
    def subjects(self) -> int:
        """How many subjects are enrolled."""
        return len(self._rows_of)

    def add(self, references: Sequence[Reference]) -> None:
        """Take references into the search.

        Raises:
            ModelMismatch: one was made by another recogniser.
        """
        for reference in references:
            self._require_model(reference.model, reference.features.shape[-1])
        rows = np.stack([reference.features for reference in references]) if references else None
        if rows is not None:
            self.add_rows([reference.subject for reference in references], rows, self._model)

    def add_rows(self, subjects: Sequence[SubjectId], rows: FeatureRows, model: ModelId) -> None:
        """Take many references at once: `rows` is `float32[N, D]` of unit length.

        Raises:
            ModelMismatch: they were made by another recogniser.
        """
        self._require_model(model, rows.shape[1])
        with self._lock:
            first = len(self._subjects)
            self._require_room(first + len(subjects))
            self._rows[first : first + len(subjects)] = rows
            self._subjects.extend(subjects)
            for row, subject in enumerate(subjects, first):
                self._rows_of.setdefault(subject, set()).add(row)

    def remove(self, subject: SubjectId) -> int:
        """Forget every reference of a subject and return how many there were."""
        with self._lock:
            rows = sorted(self._rows_of.pop(subject, ()), reverse=True)
            for row in rows:
                self._remove_row(row)
            return len(rows)

    def search(
        self, probe: Probe, count: int = 2, among: Collection[SubjectId] | None = None
    ) -> CandidateList:
        """Return the `count` most similar subjects, each by their best reference.

        Args:
            probe: features of the capture.
            count: how many subjects, at least 1.
            among: compare with these subjects only, for example those left after the digits.

        Raises:
            ModelMismatch: the probe was made by another recogniser.
        """
        self._require_model(probe.model, probe.features.shape[-1])
        with self._lock:
            rows = self._selected(among)
            if not len(rows):
                return ()
            chosen = self._rows[: len(self._subjects)] if among is None else self._rows[rows]
            scores = chosen @ probe.features
            return self._best(scores, rows, count)

    def _best(self, scores: npt.NDArray[np.float32], rows: npt.NDArray[np.intp], count: int) -> CandidateList:
        most = max(len(references) for references in self._rows_of.values())
        # The best (count - 1) subjects hold at most that many rows each, so one more reaches the last.
        needed = min(len(scores), (count - 1) * most + 1)
        top = np.argpartition(scores, len(scores) - needed)[-needed:]
        best: dict[SubjectId, float] = {}
        for index in top[np.argsort(-scores[top], kind="stable")]:
            best.setdefault(self._subjects[rows[index]], float(scores[index]))
        return tuple(Candidate(subject, score) for subject, score in list(best.items())[:count])

    def _selected(self, among: Collection[SubjectId] | None) -> npt.NDArray[np.intp]:
        if among is None:
            return np.arange(len(self._subjects))
        return np.fromiter(
            sorted(row for subject in set(among) for row in self._rows_of.get(subject, ())), np.intp
        )

    def _remove_row(self, row: int) -> None:
        last = len(self._subjects) - 1
        moved = self._subjects[last]
        if row != last:
            self._rows[row] = self._rows[last]
            self._subjects[row] = moved
            self._rows_of[moved].discard(last)
            self._rows_of[moved].add(row)
        self._rows[last] = 0.0
        self._subjects.pop()

    def _require_room(self, size: int) -> None:
        capacity = len(self._rows)
        if size <= capacity:
            return
        grown = np.zeros((max(size, 2 * capacity), self._rows.shape[1]), np.float32)
        grown[:capacity] = self._rows
        self._rows[:] = 0.0
        self._rows = grown

    def _require_model(self, model: ModelId, dimensions: int) -> None:
        if model != self._model or dimensions != self.dimensions:
            raise ModelMismatch(
                "features of another recogniser cannot be compared with this gallery: it was enrolled with "
                f"{self._model[:12]} ({self.dimensions}), not {model[:12]} ({dimensions}); "
                "choose that pack, or enrol again"
            )
