from __future__ import annotations

import numpy as np
import pytest

from facepay.errors import ModelMismatch
from facepay.recognition.matcher import Matcher
from facepay.types import ModelId, Probe, Reference, ReferenceId, SubjectId

MODEL = ModelId("a" * 64)
DIMENSIONS = 16


def unit(count: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, DIMENSIONS)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def subject(number: int) -> SubjectId:
    return SubjectId(f"{number:032x}")


def reference(number: int, features: np.ndarray, model: ModelId = MODEL) -> Reference:
    return Reference(ReferenceId("r" * 32), subject(number), features, model)


def test_an_empty_gallery_has_no_candidates() -> None:
    assert Matcher(MODEL, DIMENSIONS).search(Probe(unit(1)[0], MODEL)) == ()


def test_each_subject_counts_once_by_the_best_reference() -> None:
    rows = unit(4)
    matcher = Matcher(MODEL, DIMENSIONS)
    matcher.add([reference(1, rows[0]), reference(1, rows[1]), reference(1, rows[2]), reference(2, rows[3])])
    found = matcher.search(Probe(rows[1], MODEL), 2)
    assert [candidate.subject for candidate in found] == [subject(1), subject(2)]
    assert found[0].score == pytest.approx(1.0, abs=1e-5)
    assert found[1].score == pytest.approx(float(rows[1] @ rows[3]), abs=1e-5)


def test_search_equals_brute_force_through_enrolments_and_erasures() -> None:
    random = np.random.default_rng(5)
    matcher = Matcher(MODEL, DIMENSIONS, capacity=1)
    enrolled: dict[int, np.ndarray] = {}
    for step in range(300):
        if enrolled and random.random() < 0.35:
            gone = int(random.choice(list(enrolled)))
            assert matcher.remove(subject(gone)) == len(enrolled.pop(gone))
        else:
            rows = unit(int(random.integers(1, 5)), seed=step)
            enrolled[step] = rows
            matcher.add([reference(step, row) for row in rows])
        probe = unit(1, seed=10_000 + step)[0]
        expected = sorted(((float((rows @ probe).max()), n) for n, rows in enrolled.items()), reverse=True)
        found = matcher.search(Probe(probe, MODEL), 3)
        assert [c.subject for c in found] == [subject(n) for _, n in expected[:3]]
        assert [c.score for c in found] == pytest.approx([s for s, _ in expected[:3]], abs=1e-5)
        assert (matcher.size, matcher.subjects) == (sum(map(len, enrolled.values())), len(enrolled))


def test_narrowing_compares_only_with_the_subjects_left() -> None:
    rows = unit(5)
    matcher = Matcher(MODEL, DIMENSIONS)
    matcher.add([reference(n, row) for n, row in enumerate(rows)])
    found = matcher.search(Probe(rows[0], MODEL), 5, among=[subject(3), subject(4), subject(99)])
    assert {candidate.subject for candidate in found} == {subject(3), subject(4)}
    assert matcher.search(Probe(rows[0], MODEL), 2, among=[]) == ()


def test_an_erased_subject_leaves_no_features_behind() -> None:
    rows = unit(3)
    matcher = Matcher(MODEL, DIMENSIONS)
    matcher.add([reference(n, row) for n, row in enumerate(rows)])
    matcher.remove(subject(1))
    assert matcher.remove(subject(1)) == 0
    held = matcher._rows
    assert not any(np.allclose(row, rows[1]) for row in held)
    assert np.count_nonzero(np.linalg.norm(held, axis=1)) == 2


def test_features_of_another_recogniser_are_refused() -> None:
    matcher = Matcher(MODEL, DIMENSIONS)
    other = ModelId("b" * 64)
    with pytest.raises(ModelMismatch, match="another recogniser"):
        matcher.add([reference(1, unit(1)[0], other)])
    with pytest.raises(ModelMismatch, match="another recogniser"):
        matcher.search(Probe(unit(1)[0], other))
    with pytest.raises(ModelMismatch, match=r"\(8\)"):
        matcher.search(Probe(unit(1)[0][:8], MODEL))
