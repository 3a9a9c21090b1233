"""The decision who it is: above the threshold, clear of the second, and nothing else."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import pytest

from facepay.capture import StageTimes
from facepay.checkout.identify import IdentificationTerms, Identifier, require_one
from facepay.errors import AmbiguousMatch, NoMatch
from facepay.gallery import Gallery
from facepay.recognition.borrowed import borrow_calibration
from facepay.recognition.engine import RecognitionEngine
from facepay.types import Candidate, CandidateList, ModelId, Probe, SubjectId

ADA, BEN = SubjectId("a" * 32), SubjectId("b" * 32)


def test_a_clear_candidate_is_identified_with_its_margin() -> None:
    found = require_one((Candidate(ADA, 0.8), Candidate(BEN, 0.3)), 0.5, 0.1)
    assert (found.subject, found.threshold) == (ADA, 0.5)
    assert found.margin == pytest.approx(0.5)


def test_a_lone_candidate_has_no_margin() -> None:
    assert require_one((Candidate(ADA, 0.8),), 0.5, 0.1).margin is None


def test_an_empty_gallery_matches_nobody() -> None:
    with pytest.raises(NoMatch):
        require_one((), 0.5, 0.1)


@pytest.mark.parametrize("score", [0.499, -1.0, math.nan])
def test_below_the_threshold_or_no_number_is_no_match(score: float) -> None:
    with pytest.raises(NoMatch):
        require_one((Candidate(ADA, score),), 0.5, 0.1)


@pytest.mark.parametrize("second", [0.75, 0.8, math.nan])
def test_a_second_too_near_or_no_number_is_ambiguous(second: float) -> None:
    with pytest.raises(AmbiguousMatch):
        require_one((Candidate(ADA, 0.8), Candidate(BEN, second)), 0.5, 0.1)


MODEL = ModelId("c" * 64)
CURVE = borrow_calibration(MODEL, "d" * 64)
FOUND = CURVE.threshold_for(300, 1e-3).score
"""A score that is just enough among 300 references."""


class Measured:
    """An engine as far as its calibration."""

    def require_calibration(self) -> object:
        return CURVE


class Crowd:
    """A gallery of 10,000 payers with three references each, in which everybody finds Ada at `FOUND`."""

    def references(self, among: frozenset[SubjectId] | None = None) -> int:
        return 3 * (10_000 if among is None else len(among))

    def search(self, probe: Probe, among: frozenset[SubjectId] | None = None) -> CandidateList:
        return (Candidate(ADA, FOUND),)


def identifier(target_fpir: float) -> Identifier:
    return Identifier(
        cast("RecognitionEngine", Measured()),
        cast("Gallery", Crowd()),
        IdentificationTerms(target_fpir, margin=0.03),
    )


def test_the_threshold_is_that_of_the_references_that_were_compared_and_of_the_target() -> None:
    probe = Probe(np.ones(4, np.float32) / 2, MODEL)
    left = frozenset(SubjectId(f"{number:032x}") for number in range(100))
    after_digits = identifier(1e-3).identify(probe, StageTimes(), left)
    assert after_digits.threshold == FOUND
    with pytest.raises(NoMatch):
        identifier(1e-3).identify(probe, StageTimes())
    with pytest.raises(NoMatch):
        identifier(1e-4).identify(probe, StageTimes(), left)
    loose = identifier(0.2).identify(probe, StageTimes())
    assert loose.threshold == CURVE.threshold_for(30_000, 0.2).score < FOUND
