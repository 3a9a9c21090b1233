"""From the faces of a capture to one enrolled payer, or to nobody.

Three things have to hold: the kept faces are one person's, the best candidate is above the threshold
for as many references as were compared, and the second one is far enough behind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facepay.capture import Captured, StageTimes
from facepay.checkout.ahead import AheadOfTime
from facepay.errors import AmbiguousMatch, AttackSuspected, FailureToAcquire, NoMatch
from facepay.gallery import Gallery
from facepay.recognition.engine import RecognitionEngine
from facepay.types import CandidateList, Identification, ModelId, Probe, Reference, SubjectId

SAME_PERSON_FMR = 1e-3
"""How often two strangers may pass as one person within a capture; liveness watches the track as well."""


@dataclass(frozen=True, slots=True)
class IdentificationTerms:
    """`target_fpir` is the share of strangers that may be taken for somebody; `margin` in cosine;
    `target_fmr` the share that may pass for the holder of a code.
    """

    target_fpir: float
    margin: float
    target_fmr: float = 1e-4


class Identifier:
    """Embeds, compares and decides."""

    def __init__(self, engine: RecognitionEngine, gallery: Gallery, terms: IdentificationTerms) -> None:
        self._engine = engine
        self._gallery = gallery
        self._terms = terms

    @property
    def model(self) -> ModelId:
        """The recogniser whose templates can be compared here."""
        return self._engine.model

    def ahead(self, times: StageTimes) -> AheadOfTime:
        """What embeds faces of a capture while it runs; hand it to the capture and then to `probe_of`."""
        return AheadOfTime(self._engine, times)

    def probe_of(self, captured: Captured, times: StageTimes, ahead: AheadOfTime | None = None) -> Probe:
        """Embed the kept faces, those that `ahead` has not yet, and merge them.

        Raises:
            FailureToAcquire: no face was kept.
            AttackSuspected: the kept faces are not one person's.
        """
        if not captured.samples:
            raise FailureToAcquire("no usable face was kept")
        with times.stage("extract"):
            rows = (ahead or self.ahead(times)).rows_of(captured.samples)
        alike = self._engine.require_calibration().threshold_for(1, SAME_PERSON_FMR).score
        if float((rows @ rows.T).min()) < alike:
            raise AttackSuspected("the face changed during the capture")
        mean = rows.mean(axis=0)
        return Probe(np.asarray(mean / np.linalg.norm(mean), dtype=np.float32), self._engine.model)

    def identify(
        self, probe: Probe, times: StageTimes, among: frozenset[SubjectId] | None = None
    ) -> Identification:
        """Search for the probe; `among` are those left after the digits.

        Raises:
            NoMatch: nobody enrolled is similar enough.
            AmbiguousMatch: two are too similar to be told apart.
        """
        with times.stage("search"):
            candidates = self._gallery.search(probe, among)
        threshold = self._engine.require_calibration().threshold_for(
            max(1, self._gallery.references(among)), self._terms.target_fpir
        )
        return require_one(candidates, threshold.score, self._terms.margin)

    def verify(self, probe: Probe, reference: Reference, times: StageTimes) -> Identification | None:
        """Compare with the one reference of the shopper's own code; None where it is somebody else's face."""
        with times.stage("search"):
            if (probe.model, len(probe.features)) != (reference.model, len(reference.features)):
                return None
            score = float(probe.features @ reference.features)
        threshold = self._engine.require_calibration().threshold_for(1, self._terms.target_fmr).score
        # Written so that a score that is no number declines.
        if not score >= threshold:
            return None
        return Identification(reference.subject, score, threshold, None)


def require_one(candidates: CandidateList, threshold: float, margin: float) -> Identification:
    """The one candidate that is above the threshold and clear of the second.

    Raises:
        NoMatch: none is above the threshold, or a score is no number.
        AmbiguousMatch: the second is nearer than `margin`.
    """
    # Written so that a score that is no number fails the comparison and declines.
    if not candidates or not candidates[0].score >= threshold:
        raise NoMatch("nobody enrolled is similar enough")
    if len(candidates) == 1:
        return Identification(candidates[0].subject, candidates[0].score, threshold, None)
    apart = candidates[0].score - candidates[1].score
    if not apart >= margin:
        raise AmbiguousMatch("two enrolled payers are too similar to tell apart")
    return Identification(candidates[0].subject, candidates[0].score, threshold, apart)
