from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest

from facepay.errors import ModelMismatch
from facepay.recognition.int8_product import Int8Product
from facepay.recognition.matcher import Matcher, MatcherSizes
from facepay.recognition.race import LAPS, find_faster
from facepay.recognition.rounded_block import BLOCK
from facepay.recognition.rows import ExactRows
from facepay.recognition.sieved_rows import SievedRows
from facepay.recognition.ties import MOST_TIED, Originals
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


def won(rows: ExactRows, product: Int8Product) -> SievedRows:
    """A race that the sieve always wins; it lies over the first of the rows only."""
    return SievedRows.over(rows, product, most=rows.size // 2)


@pytest.mark.parametrize(
    "sizes", [MatcherSizes(), MatcherSizes(50), MatcherSizes(50, 100), MatcherSizes(1, 1)]
)
def test_search_equals_brute_force_through_enrolments_and_erasures(sizes: MatcherSizes) -> None:
    random = np.random.default_rng(5)
    tolerance = 1e-5 if sizes == MatcherSizes() or sizes.compact_from > 300 else 2e-3
    matcher = Matcher(MODEL, DIMENSIONS, sizes=sizes, faster=won)
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
        if tolerance < 1e-4:
            assert [c.subject for c in found] == [subject(n) for _, n in expected[:3]]
        assert [c.score for c in found] == pytest.approx([s for s, _ in expected[:3]], abs=tolerance)
        assert (matcher.size, matcher.subjects) == (sum(map(len, enrolled.values())), len(enrolled))


def test_narrowing_compares_only_with_the_subjects_left() -> None:
    rows = unit(5)
    matcher = Matcher(MODEL, DIMENSIONS)
    matcher.add([reference(n, row) for n, row in enumerate(rows)])
    found = matcher.search(Probe(rows[0], MODEL), 5, among=[subject(3), subject(4), subject(99)])
    assert {candidate.subject for candidate in found} == {subject(3), subject(4)}
    assert matcher.search(Probe(rows[0], MODEL), 2, among=[]) == ()


@pytest.mark.parametrize("compact", [False, True])
def test_a_dropped_row_leaves_nothing_behind(compact: bool) -> None:
    rows = unit(3)
    for store in (ExactRows(DIMENSIONS), SievedRows(DIMENSIONS, Int8Product(), compact=compact)):
        store.append(rows)
        store.drop(1)
        assert store.size == 2
        kept = store.rows(np.arange(2))
        assert np.allclose(kept, rows[[0, 2]], atol=1e-2)
        store.drop(0)
        store.drop(0)
        arrays = [store._rows] if isinstance(store, ExactRows) else store._blocks[0].parts()
        assert not any(np.any(array) for array in arrays)


@pytest.mark.parametrize("compact", [False, True])
def test_the_sieve_finds_what_brute_force_finds_across_blocks(compact: bool) -> None:
    random = np.random.default_rng(3)
    rows = random.normal(size=(BLOCK + 500, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    store = SievedRows(64, Int8Product(), compact=compact)
    store.append(rows)
    for near in (5, BLOCK - 1, BLOCK + 499):
        probe = rows[near] + 0.08 * random.normal(size=64).astype(np.float32)
        probe = (probe / np.linalg.norm(probe)).astype(np.float32)
        stranger = rows[-near]
        (numbers, scores), (others, _) = store.best(np.stack([probe, stranger]), 10)
        assert set(np.argsort(-(rows @ stranger))[:10]) <= set(others)
        brute = rows @ probe
        expected = np.argsort(-brute)[:10]
        assert set(expected) <= set(numbers)
        assert len(numbers) < 2000
        assert np.allclose(scores, brute[numbers], atol=2e-3 if compact else 1e-5)
        assert numbers[scores.argmax()] == near


def test_extreme_values_do_not_overflow_the_product() -> None:
    # Pairs of products beyond 16 bits are what processors without a dot-product instruction saturate.
    rows = np.tile(np.where(np.arange(64) % 2, 1, -1) / 8, (3, 1)).astype(np.float32)
    rows[1] *= -1
    rows[2] = np.abs(rows[2])
    store = SievedRows(64, Int8Product(), compact=False)
    store.append(rows)
    for probe in rows:
        (numbers, scores), *_ = store.best(probe[None], 3)
        assert np.allclose(scores, rows[numbers] @ probe, atol=1e-6)
        codes = np.full((64, 1), 63, np.int8)
        block = np.full((2, 64), 255, np.uint8)
        assert Int8Product().run(block, np.ones(2, np.float32), codes).ravel().tolist() == [127 * 63 * 64] * 2


def test_the_faster_store_is_asked_for_again_at_each_doubling_until_the_sieve_wins() -> None:
    raced: list[int] = []

    def third_time(rows: ExactRows, product: Int8Product) -> SievedRows | None:
        raced.append(rows.size)
        return won(rows, product) if len(raced) == 3 else None

    matcher = Matcher(MODEL, DIMENSIONS, sizes=MatcherSizes(10), faster=third_time)
    for number in range(100):
        matcher.add([reference(number, unit(1, seed=number)[0])])
    assert raced == [10, 20, 40]
    probe = unit(1, seed=77)[0]
    assert matcher.search(Probe(probe, MODEL))[0].subject == subject(77)


class SlowProduct(Int8Product):
    def run(self, rows: np.ndarray, scales: np.ndarray, probes: np.ndarray) -> np.ndarray:
        time.sleep(0.005)
        return super().run(rows, scales, probes)


def test_a_sieve_on_a_processor_that_is_slow_with_bytes_loses_the_race() -> None:
    rows = unit(500)
    store = ExactRows(DIMENSIONS)
    store.append(rows)
    assert find_faster(store, SlowProduct()) is None
    assert np.array_equal(store.rows(np.arange(500)), rows)


def test_each_search_races_in_one_go_so_that_no_thread_of_the_other_is_in_its_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    laps: list[str] = []

    class Heard(Int8Product):
        def run(self, rows: np.ndarray, scales: np.ndarray, probes: np.ndarray) -> np.ndarray:
            laps.append("sieve")
            return super().run(rows, scales, probes)

    best = ExactRows.best
    monkeypatch.setattr(ExactRows, "best", lambda store, *given: laps.append("plain") or best(store, *given))
    store = ExactRows(DIMENSIONS)
    store.append(unit(500))
    find_faster(store, Heard())
    assert laps == ["sieve"] * LAPS + ["plain"] * LAPS


def test_many_probes_at_once_find_what_each_finds_alone() -> None:
    rows = unit(200)
    for sizes in (MatcherSizes(), MatcherSizes(50), MatcherSizes(1, 1)):
        matcher = Matcher(MODEL, DIMENSIONS, sizes=sizes, faster=won)
        matcher.add([reference(n, row) for n, row in enumerate(rows)])
        probes = [Probe(row, MODEL) for row in unit(5, seed=9)]
        assert matcher.search_many(probes, 2) == [matcher.search(probe, 2) for probe in probes]
    assert matcher.search_many([], 2) == []


def test_a_packed_row_is_close_to_what_was_enrolled() -> None:
    rows = unit(50)
    store = SievedRows(DIMENSIONS, Int8Product(), compact=True)
    store.append(rows)
    assert np.abs(store.rows(np.arange(50)) - rows).max() < 5e-4


def near_tie() -> tuple[np.ndarray, Probe]:
    """Two rows and a probe that is a little nearer to the first, whose packed copies say the opposite."""
    for seed in range(100):
        probe, first = unit(2, seed=seed)
        second = first + 1e-5 * probe * np.float32(-1)
        second /= np.linalg.norm(second)
        rows = np.stack([first, second])
        store = SievedRows(DIMENSIONS, Int8Product(), compact=True)
        store.append(rows)
        packed, true = store.rows(np.arange(2)) @ probe, rows.astype(np.float64) @ probe
        if true[0] > true[1] and packed[0] <= packed[1]:
            # Of equal packed scores the first row wins, which would be right by luck.
            return rows[::-1], Probe(probe, MODEL)
    raise AssertionError("packing decides every tie rightly")


class Owner:
    """Reads rows again for a matcher, and remembers for whom."""

    def __init__(self, rows: np.ndarray, model: ModelId = MODEL) -> None:
        self.rows, self.model = rows, model
        self.asked: list[set[SubjectId]] = []
        self.given: list[Reference] = []

    def __call__(self, subjects: Sequence[SubjectId]) -> list[Reference]:
        self.asked.append({*subjects})
        kept = [(n, row) for n, row in enumerate(self.rows) if subject(n) in subjects]
        self.given = [reference(n, row.copy(), self.model) for n, row in kept]
        return self.given


def packed_matcher(rows: np.ndarray, originals: Originals | None) -> Matcher:
    matcher = Matcher(MODEL, DIMENSIONS, sizes=MatcherSizes(1, 1), originals=originals)
    matcher.add([reference(n, row) for n, row in enumerate(rows)])
    return matcher


@pytest.mark.parametrize("among", [None, [subject(0), subject(1)]])
def test_who_is_first_in_a_near_tie_is_read_again_at_full_precision(among: list[SubjectId] | None) -> None:
    rows, probe = near_tie()
    assert packed_matcher(rows, None).search(probe, 1, among)[0].subject == subject(0)
    owner = Owner(rows)
    found = packed_matcher(rows, owner).search(probe, 2, among)
    assert [candidate.subject for candidate in found] == [subject(1), subject(0)]
    exact = rows.astype(np.float64) @ probe.features
    assert [candidate.score for candidate in found] == pytest.approx([exact[1], exact[0]], abs=1e-12)
    assert owner.asked == [{subject(0), subject(1)}]
    assert not any(given.features.any() for given in owner.given)


def test_a_tie_that_cannot_be_read_again_keeps_the_packed_order() -> None:
    rows, probe = near_tie()
    expected = packed_matcher(rows, None).search(probe)
    for owner in (Owner(rows[:1]), Owner(rows[:0]), Owner(rows, ModelId("b" * 64))):
        assert packed_matcher(rows, owner).search(probe) == expected
        assert owner.asked


def test_nothing_is_read_again_where_packing_leaves_no_doubt() -> None:
    rows = unit(300)
    owner = Owner(rows)
    for sizes in (MatcherSizes(), MatcherSizes(50)):
        matcher = Matcher(MODEL, DIMENSIONS, sizes=sizes, faster=won, originals=owner)
        matcher.add([reference(n, row) for n, row in enumerate(rows)])
        matcher.search_many([Probe(row, MODEL) for row in unit(50, seed=3)])
    matcher = packed_matcher(rows, owner)
    # Several references of one payer are no tie, however alike.
    matcher.add([reference(7, rows[7])])
    for number in range(10):
        assert matcher.search(Probe(rows[number], MODEL))[0].subject == subject(number)
    assert owner.asked == []


def test_a_crowd_of_one_face_is_not_read_again() -> None:
    owner = Owner(np.tile(unit(1), (MOST_TIED + 1, 1)))
    matcher = packed_matcher(owner.rows, owner)
    assert len(matcher.search(Probe(owner.rows[0], MODEL), 2)) == 2
    assert owner.asked == []


def test_a_large_packed_gallery_ranks_first_whom_brute_force_ranks_first() -> None:
    rows = unit(20_000)
    owner = Owner(rows)
    matcher = packed_matcher(rows, owner)
    probes = unit(400, seed=8)
    first = [subject(int(number)) for number in (probes.astype(np.float64) @ rows.T).argmax(axis=1)]
    found = matcher.search_many([Probe(probe, MODEL) for probe in probes])
    assert [candidates[0].subject for candidates in found] == first
    assert owner.asked
    assert max(map(len, owner.asked)) <= MOST_TIED
    alone = packed_matcher(rows, None).search_many([Probe(probe, MODEL) for probe in probes])
    assert [candidates[0].subject for candidates in alone] != first


def test_what_packing_may_cost_is_computed_and_covers_every_row() -> None:
    rows = unit(3_000)
    rows[5] = np.eye(DIMENSIONS)[0]
    store = SievedRows(DIMENSIONS, Int8Product(), compact=True)
    store.append(rows)
    numbers = np.arange(3_000)
    lost = np.linalg.norm(store.rows(numbers) - rows, axis=1)
    errors = store.errors(numbers)
    assert (lost <= errors).all()
    assert np.median(errors / np.maximum(lost, 1e-9)) < 3


def test_features_of_another_recogniser_are_refused() -> None:
    matcher = Matcher(MODEL, DIMENSIONS)
    other = ModelId("b" * 64)
    with pytest.raises(ModelMismatch, match="another recogniser"):
        matcher.add([reference(1, unit(1)[0], other)])
    with pytest.raises(ModelMismatch, match="another recogniser"):
        matcher.search(Probe(unit(1)[0], other))
    with pytest.raises(ModelMismatch, match=r"\(8\)"):
        matcher.search(Probe(unit(1)[0][:8], MODEL))
