"""Searches as the terminal makes them, against the matcher and the decision of the terminal itself."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from facepay.checkout.identify import require_one
from facepay.errors import AmbiguousMatch, NoMatch
from facepay.evaluation.terminal_searches import SearchRules, TerminalSearch, search_as_the_terminal
from facepay.recognition.borrowed import borrow_calibration
from facepay.recognition.matcher import Matcher
from facepay.types import ModelId, Probe, Reference, ReferenceId, SubjectId
from tests.reports import People

MODEL = ModelId("c" * 64)
CURVE = borrow_calibration(MODEL, "d" * 64)
RULES = SearchRules(samples=3, target_fpir=0.2, margin=0.03)


@pytest.mark.parametrize(("images", "references"), [(2, 1), (4, 3), (6, 3)])
def test_one_photo_is_always_left_to_search_with(people: People, images: int, references: int) -> None:
    (found,) = search_as_the_terminal(*people(30, images, 0.3), CURVE, RULES, sizes=(10, 30, 500))
    assert (found.people, found.references) == (10, 10 * references)
    assert found.not_found.trials == found.taken_for_another.trials == 10 * (images - references)
    assert found.strangers.trials == 20 * images
    assert found.threshold == CURVE.threshold_for(10 * references, 0.2).score


def test_nobody_is_searched_for_where_nobody_has_two_photos(people: People) -> None:
    assert search_as_the_terminal(*people(30, 1, 0.3), CURVE, RULES, sizes=(10,)) == ()


def test_the_rates_are_those_of_matcher_and_decision(people: People) -> None:
    features, identity = people(40, 5, 1.7)
    rules = SearchRules(samples=3, target_fpir=0.9, margin=0.02)
    (found,) = search_as_the_terminal(features, identity, CURVE, rules, sizes=(25,), seed=3)
    enrolled = set(np.random.default_rng(3).permutation(40)[:25].tolist())
    matcher = Matcher(MODEL, features.shape[1])
    rows = {person: [row for row, who in enumerate(identity) if who == person] for person in range(40)}
    for person in enrolled:
        for row in rows[person][:3]:
            reference = Reference(ReferenceId(str(row)), SubjectId(str(person)), features[row], MODEL)
            matcher.add([reference])
    told: Counter[str] = Counter()
    for person in range(40):
        known = person in enrolled
        for row in rows[person][3 if known else 0 :]:
            told[_answer(matcher, Probe(features[row], MODEL), person if known else None, found)] += 1
    assert found.strangers.errors == told["stranger taken"] > 0
    assert found.not_found.errors == told["not found"] > 0
    assert found.taken_for_another.errors == told["another"] > 0


def _answer(matcher: Matcher, probe: Probe, person: int | None, found: TerminalSearch) -> str:
    try:
        who = require_one(matcher.search(probe), found.threshold, 0.02).subject
    except (NoMatch, AmbiguousMatch):
        return "stranger refused" if person is None else "not found"
    if person is None:
        return "stranger taken"
    return "right" if who == str(person) else "another"
