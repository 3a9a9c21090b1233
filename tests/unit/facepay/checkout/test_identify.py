"""The decision who it is: above the threshold, clear of the second, and nothing else."""

from __future__ import annotations

import math

import pytest

from facepay.checkout.identify import require_one
from facepay.errors import AmbiguousMatch, NoMatch
from facepay.types import Candidate, SubjectId

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
