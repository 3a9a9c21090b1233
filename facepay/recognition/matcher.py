"""Exact one-to-many comparison over contiguous arrays that enrolments and erasures keep in step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facepay.errors import ModelMismatch
from facepay.recognition.base import FeatureRows
from facepay.recognition.int8_product import Int8Product
from facepay.recognition.owners import RowOwners
from facepay.recognition.race import find_faster
from facepay.recognition.rounded_block import BLOCK
from facepay.recognition.rows import ExactRows, RowNumbers, RowStore, Scores
from facepay.recognition.sieved_rows import SievedRows
from facepay.recognition.ties import Originals, settle
from facepay.types import Candidate, CandidateList, ModelId, Probe, Reference, SubjectId


@dataclass(frozen=True, slots=True)
class MatcherSizes:
    """From how many references on the sieve is tried, and from how many memory counts.

    Below `sieve_from` one float32 product takes no time worth measuring. From there on the two race on
    this machine, again at each doubling, until the sieve has won. From `compact_from` on the better copies
    are packed into 12 bits a value, which holds a million references of 512 values in under 0.8 GB.
    """

    sieve_from: int = 4_096
    compact_from: int = 131_072


@dataclass(frozen=True, slots=True)
class _Ranking:
    """Subjects by their best packed score: the best of them, and those who may be first as enrolled."""

    best: Mapping[SubjectId, float]
    tied: Mapping[SubjectId, float]


class Matcher:
    """References of one recogniser, searched by cosine; safe to use from several threads.

    Every search gives the candidates that brute force over the same rows would give. Rows packed to 12 bits
    a value score within 0.001 of the originals; where that leaves open who is first, `originals` are read
    again, and without any the packed order stands. A removed reference is overwritten.
    """

    def __init__(
        self,
        model: ModelId,
        dimensions: int,
        *,
        sizes: MatcherSizes | None = None,
        threads: int = 1,
        faster: Callable[[ExactRows, Int8Product], SievedRows | None] = find_faster,
        originals: Originals | None = None,
    ) -> None:
        self._model = model
        self._dimensions = dimensions
        self._sizes = sizes or MatcherSizes()
        self._threads = threads
        self._faster = faster
        self._race_at = self._sizes.sieve_from
        self._store: RowStore = ExactRows(dimensions)
        self._owners = RowOwners()
        self._originals = originals
        self._lock = threading.Lock()

    @property
    def model(self) -> ModelId:
        """The recogniser whose features are compared here."""
        return self._model

    @property
    def dimensions(self) -> int:
        """Length of a feature row."""
        return self._dimensions

    @property
    def size(self) -> int:
        """How many references are compared."""
        return self._owners.size

    @property
    def subjects(self) -> int:
        """How many subjects are enrolled."""
        return self._owners.subjects

    def add(self, references: Sequence[Reference]) -> None:
        """Take references into the search.

        Raises:
            ModelMismatch: one was made by another recogniser.
        """
        for reference in references:
            self._require_model(reference.model, reference.features.shape[-1])
        if references:
            # All are of one length by now, and this is several times faster than stacking them.
            rows = np.concatenate([reference.features for reference in references])
            subjects = [reference.subject for reference in references]
            self.add_rows(subjects, rows.reshape(len(subjects), -1), self._model)

    def add_rows(self, subjects: Sequence[SubjectId], rows: FeatureRows, model: ModelId) -> None:
        """Take many references at once: `rows` is `float32[N, D]` of unit length.

        Raises:
            ModelMismatch: they were made by another recogniser.
        """
        self._require_model(model, rows.shape[1])
        with self._lock:
            self._grow(self.size + len(subjects))
            self._store.append(rows)
            self._owners.append(subjects)
            self._race()

    def remove(self, subject: SubjectId) -> int:
        """Forget every reference of a subject and return how many there were."""
        with self._lock:
            rows = self._owners.forget(subject)
            for row in rows:
                self._store.drop(row)
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
        if among is None:
            return self.search_many([probe], count)[0]
        with self._lock:
            rows = self._owners.rows_of(among)
            ranking = self._ranked(rows, self._store.rows(rows) @ probe.features, count)
        return self._settled(ranking, probe, count)

    def search_many(self, probes: Sequence[Probe], count: int = 2) -> list[CandidateList]:
        """Search with several probes at once, which costs little more than searching with one.

        Raises:
            ModelMismatch: a probe was made by another recogniser.
        """
        for probe in probes:
            self._require_model(probe.model, probe.features.shape[-1])
        with self._lock:
            if not self.size or not probes:
                return [() for _ in probes]
            # The best (count - 1) subjects hold at most `most` rows each, so one more reaches the last.
            needed = min(self.size, (count - 1) * self._owners.most + 1)
            found = self._store.best(np.stack([probe.features for probe in probes]), needed)
            rankings = [self._ranked(rows, scores, count) for rows, scores in found]
        # Originals are read without the lock: others may search and enrol meanwhile.
        return [self._settled(one, probe, count) for one, probe in zip(rankings, probes, strict=True)]

    def _ranked(self, rows: RowNumbers, scores: Scores, count: int) -> _Ranking:
        best: dict[SubjectId, float] = {}
        order = np.argsort(-scores, kind="stable")
        for index in order:
            best.setdefault(self._owners.owner(rows[index]), float(scores[index]))
            if len(best) == count:
                break
        return _Ranking(best, self._tied(rows[order], scores[order]))

    def _tied(self, rows: RowNumbers, scores: Scores) -> Mapping[SubjectId, float]:
        """Whoever may be the most similar as enrolled, by the packed score; best `scores` come first."""
        errors = self._store.errors(rows)
        if not errors.any():
            return {}
        first = (scores - errors).max()
        tied: dict[SubjectId, float] = {}
        for index in np.flatnonzero(scores + errors >= first):
            tied.setdefault(self._owners.owner(rows[index]), float(scores[index]))
        return tied

    def _settled(self, ranking: _Ranking, probe: Probe, count: int) -> CandidateList:
        best = ranking.best
        if self._originals is not None and len(ranking.tied) > 1:
            exact = settle(tuple(ranking.tied), probe, self._originals)
            best = {**best, **exact}
        ordered = sorted(best.items(), key=lambda item: -item[1])[:count]
        return tuple(Candidate(subject, score) for subject, score in ordered)

    def _grow(self, size: int) -> None:
        if size >= self._sizes.compact_from and not (
            isinstance(self._store, SievedRows) and self._store.compact
        ):
            self._move(SievedRows(self._dimensions, Int8Product(self._threads), compact=True))

    def _race(self) -> None:
        if not isinstance(self._store, ExactRows) or self.size < self._race_at:
            return
        self._race_at = 2 * self.size
        product = Int8Product(self._threads)
        winner = self._faster(self._store, product)
        if winner is not None:
            winner.catch_up()
            self._store = winner

    def _move(self, store: SievedRows) -> None:
        for start in range(0, self._store.size, BLOCK):
            store.append(self._store.rows(np.arange(start, min(start + BLOCK, self._store.size))))
        self._store.wipe()
        self._store = store

    def _require_model(self, model: ModelId, dimensions: int) -> None:
        if model != self._model or dimensions != self.dimensions:
            raise ModelMismatch(
                "features of another recogniser cannot be compared with this gallery: it was enrolled with "
                f"{self._model[:12]} ({self.dimensions}), not {model[:12]} ({dimensions}); "
                "choose that pack, or enrol again"
            )
