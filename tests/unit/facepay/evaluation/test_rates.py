"""Intervals, 1:1 and 1:N rates and the tail fit, against figures worked out by hand or by simulation."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facepay.errors import InputUnusable
from facepay.evaluation.comparisons import Comparisons, compare_all
from facepay.evaluation.datasets import Photo
from facepay.evaluation.deployed import at_deployed_thresholds
from facepay.evaluation.identification import open_set
from facepay.evaluation.intervals import (
    clustered,
    one_in,
    percent,
    rule_of_three,
    score_interval,
    score_text,
    wilson,
)
from facepay.evaluation.results import histogram_of
from facepay.evaluation.scorefiles import ScoreRow, comparisons_of, read_scores, rows_of, write_scores
from facepay.evaluation.tail import fit_tail
from facepay.evaluation.threshold_intervals import threshold_intervals
from facepay.evaluation.verification import det_curve, fmr_at, fnmr_at, operating_point, threshold_for
from facepay.recognition.calibration import Calibration, Provenance, Tail
from facepay.types import ModelId

People = Callable[[int, int, float], tuple[np.ndarray, list[int]]]


def brute(features: np.ndarray, identity: list[int], threshold: float) -> tuple[int, int, int, int]:
    false_match = impostors = false_non_match = genuine = 0
    for i in range(len(identity)):
        for j in range(i + 1, len(identity)):
            score = float(features[i] @ features[j])
            if identity[i] == identity[j]:
                genuine += 1
                false_non_match += score < threshold
            else:
                impostors += 1
                false_match += score >= threshold
    return false_match, impostors, false_non_match, genuine


def test_wilson_agrees_with_the_published_example() -> None:
    # Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662.
    rate = wilson(81, 263)
    assert (round(rate.low, 4), round(rate.high, 4)) == (0.2553, 0.3662)


def test_no_error_gives_the_rule_of_three() -> None:
    rate = wilson(0, 150)
    assert rate.value == 0
    assert round(rate.high, 3) == 0.020
    assert rule_of_three(0) == 1
    assert "0 of 150" in str(rate)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="3 errors of 2"):
        wilson(3, 2)


def test_clustered_interval_is_wider_than_the_independent_one() -> None:
    wrong = np.repeat(np.arange(40) < 6, 25)
    identity = np.repeat(np.arange(40), 25)
    dependent, independent = clustered(wrong, identity), wilson(int(wrong.sum()), len(wrong))
    assert dependent.high - dependent.low > 2 * (independent.high - independent.low)


def test_a_few_people_with_errors_give_no_certainty() -> None:
    identity = np.repeat(np.arange(100), 4)
    none, one = clustered(identity < 0, identity), clustered(identity < 1, identity)
    assert one.low > 0
    assert one.high > none.high
    everything = clustered(identity >= 0, identity)
    assert everything.low < 1
    assert clustered(np.array([True, False, False]), np.zeros(3, int)).high > 0.8


def test_intervals_hold_what_they_promise_where_few_people_err() -> None:
    # A bootstrap alone covers the true rate in 82 % of such samples.
    random, covered = np.random.default_rng(0), 0
    for _ in range(100):
        images = random.choice([1, 3, 6, 10], 100)
        identity = np.repeat(np.arange(100), images)
        rate = clustered(random.random(len(identity)) < random.beta(0.02, 0.98, 100)[identity], identity)
        covered += rate.low <= 0.02 <= rate.high
    assert covered >= 92


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.1, "1 in 10"),
        (1e-3, "1 in 1,000"),
        (1e-6, "1 in 1,000,000"),
        (0.3, "0.3"),
        (0.0, "0"),
        (1.0, "1 in 1"),
    ],
)
def test_small_shares_are_said_as_people_do(share: float, said: str) -> None:
    assert one_in(share) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.123, "12.3 %"), (0.00999, "1 %"), (0.0005, "0.05 %"), (9.4e-7, "0.000094 %"), (0.0, "0 %")],
)
def test_small_percentages_are_written_out(share: float, said: str) -> None:
    assert percent(share) == said


def test_false_matches_of_few_pairs_are_no_narrower_than_wilson(people: People) -> None:
    comparisons = compare_all(*people(60, 2, 0.6))
    rate = fmr_at(comparisons, float(comparisons.tail[1]))
    low, high = score_interval(2 / comparisons.impostors, comparisons.impostor_pairs)
    assert rate.errors == 2
    assert rate.low <= low
    assert rate.high >= high


def test_the_same_picture_under_two_names_is_counted() -> None:
    random = np.random.default_rng(4)
    unit = random.normal(size=(50, 128)).astype(np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    comparisons = compare_all(np.concatenate([unit, unit, unit]), [*range(100), *range(50)])
    assert comparisons.impostors == 150 * 149 // 2 - 50
    assert comparisons.false_matches(0.9999) == 100


def test_counts_equal_brute_force_at_every_threshold(people: People) -> None:
    features, identity = people(30, 3, 0.6)
    comparisons = compare_all(features, identity)
    for threshold in (-0.2, 0.0, 0.2, 0.4, 0.7):
        false_match, impostors, false_non_match, genuine = brute(features, identity, threshold)
        assert comparisons.false_matches(threshold) == false_match
        assert comparisons.impostors == impostors
        assert comparisons.false_non_matches(threshold) == false_non_match
        assert len(comparisons.genuine) == genuine


def test_threshold_keeps_the_target_and_not_a_comparison_more(people: People) -> None:
    comparisons = compare_all(*people(60, 2, 0.6))
    for target in (0.1, 0.01, 0.001):
        threshold = threshold_for(comparisons, target)
        assert comparisons.false_matches(threshold) <= target * comparisons.impostors
        assert comparisons.false_matches(threshold - 0.02) > target * comparisons.impostors


def test_a_rate_the_sample_cannot_show_says_so(people: People) -> None:
    comparisons = compare_all(*people(60, 2, 0.6))
    assert operating_point(comparisons, 1e-2).supported
    assert not operating_point(comparisons, 1e-5).supported


def test_rates_carry_intervals_that_hold_them(people: People) -> None:
    comparisons = compare_all(*people(80, 3, 0.9))
    for rate in (fmr_at(comparisons, 0.2), fnmr_at(comparisons, 0.5)):
        assert 0 < rate.low < rate.value < rate.high < 1


def test_det_curve_falls_one_way_and_rises_the_other(people: People) -> None:
    curve = det_curve(compare_all(*people(60, 3, 0.9)))
    assert (np.diff(curve[:, 1]) <= 0).all()
    assert (np.diff(curve[:, 2]) >= 0).all()


@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e6])
def test_the_curve_is_the_same_whatever_the_scores_are_counted_in(unit: float) -> None:
    random = np.random.default_rng(5)
    rows = [
        ScoreRow(f"p{n}", f"p{n + (n % 2) * 1000}", "x", unit * (2 - n % 2 + float(random.normal())))
        for n in range(2000)
    ]
    curve = det_curve(comparisons_of(rows), 50)
    assert len(np.unique(curve[:, 1])) > 30
    assert curve[-1, 1] == 0


def with_tail_of(comparisons: Comparisons, length: int) -> Comparisons:
    tail, first, second = comparisons.tail, comparisons.tail_a, comparisons.tail_b
    return replace(comparisons, tail=tail[:length], tail_a=first[:length], tail_b=second[:length])


def test_a_threshold_looser_than_the_tail_has_a_wide_interval(people: People) -> None:
    everything = compare_all(*people(60, 2, 0.8))
    threshold = float(everything.tail[500])
    exact, wide = fmr_at(everything, threshold), fmr_at(with_tail_of(everything, 5), threshold)
    assert 500 < exact.errors <= wide.errors < 510, "the histogram counts to one bin"
    assert 0 < wide.low < exact.low < exact.high < wide.high < 1


def test_a_calibration_that_the_data_contradicts_is_named(people: People) -> None:
    comparisons = compare_all(*people(200, 2, 0.8))

    def calibration(moved: float) -> Calibration:
        measured = [(threshold_for(comparisons, rate) + moved, rate) for rate in (0.1, 0.03, 0.01, 0.003)]
        scores, rates = zip(*measured, strict=True)
        nobody = Provenance("", "", "", 0, 0, 0, "")
        tail = Tail(scores[-1], rates[-1], 0.0, 0.05)
        return Calibration(ModelId("a" * 64), "d" * 64, scores, rates, tail, 1e-3, nobody)

    honest, fallen = (
        at_deployed_thresholds(comparisons, calibration(moved), 0.01, (1,))[0] for moved in (0.0, -0.05)
    )
    assert (honest.exceeded, fallen.exceeded) == (False, True)
    assert fallen.fmr.low > fallen.allowed == pytest.approx(0.01)
    assert fallen.fnmr.errors <= honest.fnmr.errors
    (beyond,) = at_deployed_thresholds(with_tail_of(comparisons, 100), calibration(-0.6), 0.01, (1,))
    assert beyond.exceeded, "hardly anybody is told apart, and that is not overlooked"


@pytest.mark.parametrize("size", [7, 20, 33])
@pytest.mark.parametrize("target", [0.02, 0.1, 0.5])
def test_open_set_equals_a_search_one_by_one(people: People, size: int, target: float) -> None:
    features, identity = people(40, 3, 1.1)
    features = np.round(features * 1024) / 1024  # so that every order of adding gives the same score
    (point,) = open_set(features, identity, sizes=(size,), targets=(target,), seed=5)
    enrolled = np.random.default_rng(5).permutation(40)[:size].tolist()
    first = [identity.index(person) for person in enrolled]
    mated: list[tuple[float, bool]] = []
    strangers: list[float] = []
    for probe, person in enumerate(identity):
        if probe in first:
            continue
        best = max(first, key=lambda row: float(features[probe] @ features[row]))
        score = float(features[probe] @ features[best])
        if person in enrolled:
            mated.append((score, identity[best] == person))
        else:
            strangers.append(score)
    assert (point.fnir.trials, point.fpir.trials) == (len(mated), len(strangers))
    assert (
        point.fpir.errors == sum(score >= point.threshold for score in strangers) <= target * len(strangers)
    )
    assert point.fnir.errors == sum(not (right and score >= point.threshold) for score, right in mated)
    lower = max((score for score in strangers if score < point.threshold), default=-1.0)
    assert sum(score >= lower for score in strangers) > target * len(strangers) or lower == -1.0


def test_open_set_counts_strangers_and_wrong_people(people: People) -> None:
    features, identity = people(50, 2, 0.3)
    points = open_set(features, identity, sizes=(20, 40, 5000), targets=(0.1,))
    assert [point.gallery for point in points] == [20, 40]
    assert points[0].fnir.trials == 20
    assert points[0].fpir.trials == 60
    assert points[0].fpir.value <= 0.1


def test_tail_fit_finds_the_rate_of_a_known_law() -> None:
    random = np.random.default_rng(3)
    scores = np.sort(random.normal(0, 0.055, 4_000_000).astype(np.float32))[::-1]
    tail = scores[:200_000]
    zeros = np.zeros(len(tail), np.int32)
    histogram = np.histogram(scores, 4000, (-1, 1))[0]
    fitted = fit_tail(
        Comparisons(tail[:1], zeros[:1], tail, zeros, zeros, histogram, np.ones(2, np.int32), 1)
    )
    # Normal quantile of 1e-6 at standard deviation 0.055.
    assert fitted.threshold(1e-6) == pytest.approx(4.753 * 0.055, abs=0.012)
    assert fitted.fmr(fitted.threshold(1e-7)) == pytest.approx(1e-7, rel=1e-6)
    assert fitted.extrapolates(1e-7)
    assert not fitted.extrapolates(1e-4)


def test_too_few_impostors_for_a_tail_are_refused(people: People) -> None:
    with pytest.raises(InputUnusable, match="too few"):
        fit_tail(compare_all(*people(5, 2, 0.5)))


@pytest.mark.parametrize("defect", [np.nan, np.inf])
def test_broken_features_are_refused(people: People, defect: float) -> None:
    features, identity = people(3, 2, 0.5)
    features[1, 1] = defect
    with pytest.raises(InputUnusable, match="NaN"):
        compare_all(features, identity)


def test_one_person_cannot_be_compared(people: People) -> None:
    features, _ = people(3, 2, 0.5)
    with pytest.raises(InputUnusable, match="two people"):
        compare_all(features, [0] * 6)


def test_score_files_round_trip_and_give_the_same_rates(tmp_path: Path) -> None:
    rows = [ScoreRow("a", "a", "p1", 0.8), ScoreRow("a", "b", "p2", 0.1, None), ScoreRow("b", "b", "p3", 0.2)]
    stream = io.StringIO()
    assert write_scores(rows, stream) == 3
    path = tmp_path / "scores.txt"
    path.write_text(stream.getvalue())
    assert list(read_scores(path)) == rows
    comparisons = comparisons_of(read_scores(path))
    assert comparisons.false_matches(0.05) == 1
    assert comparisons.false_non_matches(0.5) == 1


def test_a_data_set_becomes_a_score_file_with_the_same_rates(people: People, tmp_path: Path) -> None:
    features, identity = people(20, 3, 0.8)
    photos = [Photo(Path(f"a photo {row}.jpg"), f"some one {number}") for row, number in enumerate(identity)]
    path = tmp_path / "scores.txt"
    with path.open("w") as stream:
        assert write_scores(rows_of(photos, features), stream) == 60 * 59 // 2
    ours, theirs = compare_all(features, identity), comparisons_of(read_scores(path))
    for threshold in (0.0, 0.3, 0.6):
        assert theirs.false_matches(threshold) == ours.false_matches(threshold)
        assert theirs.false_non_matches(threshold) == ours.false_non_matches(threshold)


def test_scores_of_any_range_make_a_report() -> None:
    random = np.random.default_rng(2)
    rows = [
        ScoreRow(f"p{n}", f"p{n + (n % 2) * 1000}", "x", 60 - 40 * (n % 2) + 5 * float(random.normal()))
        for n in range(500)
    ]
    comparisons = comparisons_of(rows)
    assert operating_point(comparisons, 1e-2).fnmr.errors < 5
    assert sum(histogram_of(comparisons).genuine[40:]) > 240
    for target in (0.1, 0.01):
        assert comparisons.false_matches(threshold_for(comparisons, target)) <= target * comparisons.impostors


def test_a_sparse_score_file_promises_no_more_than_its_comparisons() -> None:
    rows = [ScoreRow(f"p{n}", f"p{n + (n % 2) * 1000}", "x", 0.9 - 0.9 * (n % 2)) for n in range(200)]
    rate = fmr_at(comparisons_of(rows), 0.5)
    assert (rate.errors, rate.trials, rate.high) == (0, 100, rule_of_three(100))


def test_distances_are_refused() -> None:
    rows = [ScoreRow("a", "a", "p", 0.1), ScoreRow("a", "b", "p", 0.9)]
    with pytest.raises(InputUnusable, match="write their negatives"):
        comparisons_of(rows)


@pytest.mark.parametrize(
    "text",
    [
        "a a p 0.5\na b q 0.1\n",
        "\ufeffa\ta\tp\t0.5\r\na\tb\tq\t0.1\r\n",
        "# made by a tool\nclaimed_id,real_id,test_label,score\na,a,p,0.5\na, b, q, 0.1\n",
        "a;a;p;0.5\n\na;b;q;0.1\n",
    ],
)
def test_separators_titles_and_comments_of_other_tools_are_read(tmp_path: Path, text: str) -> None:
    plain, packed = tmp_path / "scores.txt", tmp_path / "scores.txt.gz"
    plain.write_text(text, "utf-8", newline="")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for path in (plain, packed):
        assert list(read_scores(path)) == [ScoreRow("a", "a", "p", 0.5), ScoreRow("a", "b", "q", 0.1)]


def test_a_packed_file_that_was_cut_off_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scores.txt.gz"
    path.write_bytes(gzip.compress(b"a a p 0.5\n" * 500)[:-9])
    with pytest.raises(InputUnusable, match="cannot be read"):
        list(read_scores(path))


def test_intervals_from_a_score_file_hold_the_rate() -> None:
    # Ten people, each with many probes against each other: far more comparisons than pairs of people.
    random = np.random.default_rng(1)
    rows = [
        ScoreRow(f"p{a}", f"p{b}", f"{shot}", float(random.normal(0.7 if a == b else 0.0, 0.15)))
        for a in range(10)
        for b in range(10)
        for shot in range(20)
    ]
    comparisons = comparisons_of(rows)
    rate = fmr_at(comparisons, 0.2)
    assert rate.trials == 1800
    assert rate.low < rate.value < rate.high < 3 * rate.value


def test_a_threshold_is_less_certain_beyond_the_data(people: People) -> None:
    comparisons = compare_all(*people(120, 2, 0.8))
    tail = fit_tail(comparisons)
    within, beyond = threshold_intervals(comparisons, tail, [1e-2, 1e-7], rounds=20)
    assert within[0] <= threshold_for(comparisons, 1e-2) <= within[1]
    assert beyond[0] <= tail.threshold(1e-7) <= beyond[1]
    assert beyond[1] - beyond[0] > within[1] - within[0]


def test_five_columns_name_the_model(tmp_path: Path) -> None:
    path = tmp_path / "scores.txt"
    path.write_text("a model-1 a p1 0.5\n")
    assert next(read_scores(path)).model == "model-1"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a b c", "columns found: 3"),
        ("a a p nan", "no finite number"),
        ("a a p x", "no finite number"),
        ("a a p 0,5", "decimals take a point"),
    ],
)
def test_a_broken_line_of_a_score_file_is_named(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "scores.txt"
    path.write_text(f"a a p 0.5\n{line}\n")
    with pytest.raises(InputUnusable, match=f"scores.txt:2: .*{says}"):
        list(read_scores(path))


def test_decimal_commas_of_a_spreadsheet_are_named(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("a;a;p;0,5\na;b;p;0,1\n")
    with pytest.raises(InputUnusable, match=r"scores\.csv:1: .*decimals take a point"):
        list(read_scores(path))


@pytest.mark.parametrize(
    ("genuine", "impostor"), [(1.0 + 2**-52, 1.0), (5e-324, 0.0), (1e20, 1e20), (1e9, 7.0), (3e-9, 1e-9)]
)
def test_scores_that_hardly_differ_or_differ_vastly_are_counted(genuine: float, impostor: float) -> None:
    rows = [ScoreRow("a", "a", "p", genuine), ScoreRow("a", "b", "q", impostor)]
    comparisons = comparisons_of(rows)
    assert comparisons.false_matches(impostor) == 1
    assert operating_point(comparisons, 0.1).fnmr.errors == (genuine <= impostor)
    assert histogram_of(comparisons).genuine.count(1) == 1


@pytest.mark.parametrize(
    ("score", "said"),
    [(0.25, "0.250"), (-0.3, "-0.300"), (0.0, "0.000"), (2.5e-9, "2.5e-09"), (999999999.0, "999,999,999.0")],
)
def test_a_score_is_written_so_that_it_can_be_told_from_its_neighbours(score: float, said: str) -> None:
    assert score_text(score) == said


def test_scores_of_one_kind_are_refused() -> None:
    with pytest.raises(InputUnusable, match="only one kind"):
        comparisons_of([ScoreRow("a", "a", "p", 0.5)])
