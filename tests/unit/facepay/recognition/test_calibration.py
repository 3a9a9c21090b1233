from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from facepay.errors import ModelMismatch, SettingsError
from facepay.recognition.borrowed import borrow_calibration
from facepay.recognition.calibration import Calibration, Misses, Provenance, Tail, ThresholdOnRecord
from facepay.recognition.calibration_files import find_calibration, format_calibration, parse_calibration
from facepay.recognition.packs import catalogue
from facepay.types import ModelId

MADE = Calibration(
    ModelId("a" * 64),
    "d" * 64,
    (0.1, 0.2, 0.3),
    (1e-1, 1e-2, 1e-3),
    Tail(0.3, 1e-3, 0.0, 0.04),
    1e-5,
    Provenance("2026-11-22", 'drawn "numbers"', "e" * 64, 10, 1000, 10, "facepay calibrate"),
    record=(ThresholdOnRecord(100, 1e-3, 1e-5, 0.4842, 0.45, 0.52, extrapolated=True),),
)


def test_a_larger_gallery_and_a_stricter_target_raise_the_threshold() -> None:
    by_size = [MADE.threshold_for(size, 1e-3).score for size in (1, 10, 1000, 10**6)]
    by_target = [MADE.threshold_for(100, target).score for target in (1e-1, 1e-3, 1e-6)]
    assert by_size == sorted(by_size)
    assert by_target == sorted(by_target)
    assert by_size[0] == pytest.approx(0.3)


@pytest.mark.parametrize("size", [1, 50, 10_000])
def test_the_promised_rate_holds_at_the_threshold(size: int) -> None:
    threshold = MADE.threshold_for(size, 1e-3)
    assert MADE.fmr_at(threshold.score) == pytest.approx(threshold.fmr, rel=1e-6)
    assert 1 - (1 - threshold.fmr) ** size == pytest.approx(1e-3, rel=1e-3)


def test_a_rate_beyond_the_data_is_called_extrapolated() -> None:
    assert not MADE.threshold_for(10, 1e-3).extrapolated
    assert MADE.threshold_for(1000, 1e-3).extrapolated


def test_a_heavier_tail_asks_for_more() -> None:
    heavy = replace(MADE, tail=replace(MADE.tail, shape=0.1))
    assert heavy.threshold_for(1000, 1e-3).score > MADE.threshold_for(1000, 1e-3).score


def test_no_threshold_is_one_that_nobody_reaches() -> None:
    assert MADE.threshold_for(10**9, 1e-9).score < 1.0


def test_rates_between_the_points_lie_between_them() -> None:
    assert MADE.fmr_at(-1.0) == 1.0
    assert 1e-2 < MADE.fmr_at(0.15) < 1e-1
    assert MADE.threshold_for(1, 0.05).score == pytest.approx(0.13, abs=0.01)


def test_a_target_that_is_no_rate_is_refused() -> None:
    with pytest.raises(SettingsError, match="between 0 and 1"):
        MADE.threshold_for(10, 0.0)


def test_a_calibration_survives_its_file() -> None:
    assert parse_calibration(format_calibration(MADE), "x") == MADE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[0.10000, 0.20000", "[0.20000, 0.10000"),
        ("rates = [0.1", "rates = [0.0001"),
        ("scale = 0.04", "scale = -1"),
        ("start = 0.3", "start = 0.9"),
        ("recogniser", "surprise"),
        ("scores = [0.1", "scores = [-7"),
        ("rates = [0.1", "rates = [7"),
        ("\nrate = 0.001", "\nrate = 1e-9"),
        ("scale = 0.04", "scale = inf"),
        ("scale = 0.04", "scale = 0.01"),
        ("smallest_shown = 1e-05", "smallest_shown = nan"),
        ("smallest_shown = 1e-05", "smallest_shown = -1"),
        ("score = 0.4842", "score = 0.2"),
        ("score = 0.4842", 'score = "high"'),
        ("identities = 10", 'identities = "many"'),
        ("identities = 10", "identities = 10.5"),
        ('date = "2', 'date = "two'),
        ("[tail]", "[["),
    ],
)
def test_a_damaged_calibration_is_refused(old: str, new: str) -> None:
    text = format_calibration(MADE)
    assert old in text
    with pytest.raises(SettingsError, match=r"mine\.toml is damaged: .*facepay calibrate"):
        parse_calibration(text.replace(old, new), "mine.toml")


def test_a_calibration_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "commerce.calibration.toml").write_bytes(bytes(range(256)))
    with pytest.raises(SettingsError, match=r"commerce\.calibration\.toml is damaged: it is no text"):
        find_calibration(catalogue()["commerce"], tmp_path)


def test_no_rate_falls_between_the_last_point_and_the_tail() -> None:
    # In a file each has its own number of digits, so that the tail may begin a little below the last point.
    parted = replace(MADE, tail=replace(MADE.tail, rate=0.99999e-3), record=())
    parse_calibration(format_calibration(parted), "x")
    assert parted.threshold_for(1, 0.999995e-3).score == MADE.tail.start


def test_a_calibration_speaks_only_for_its_models() -> None:
    MADE.require_for(ModelId("a" * 64), "d" * 64)
    with pytest.raises(ModelMismatch, match="facepay calibrate"):
        MADE.require_for(ModelId("b" * 64), "d" * 64)
    with pytest.raises(ModelMismatch, match="other models"):
        MADE.require_for(ModelId("a" * 64), "0" * 64)


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_built_in_calibrations_belong_to_their_packs(name: str) -> None:
    calibration, spec = find_calibration(catalogue()[name], None), catalogue()[name]
    if calibration is None:
        return
    assert spec.detector is not None
    assert spec.recogniser is not None
    digests = {file.name: file.sha256 for file in spec.files}
    calibration.require_for(ModelId(digests[spec.recogniser.file]), digests[spec.detector.file])
    # Ours is measured on the fifth of the people on whom it was not trained, so on fewer comparisons.
    assert calibration.provenance.impostor_comparisons > (400_000 if name == "builtin" else 1_000_000)


def test_thresholds_taken_over_from_another_pack_are_no_calibration() -> None:
    with pytest.raises(SettingsError, match="measure this one: facepay calibrate"):
        parse_calibration("provisional = true\n" + format_calibration(MADE), "x")


def test_a_borrowed_curve_is_the_strictest_measured_and_knows_nothing_of_its_pack() -> None:
    borrowed = borrow_calibration(ModelId("a" * 64), "d" * 64)
    borrowed.require_for(ModelId("a" * 64), "d" * 64)
    assert borrowed.borrowed
    assert "not measured with this pack" in borrowed.provenance.note
    assert borrowed.misses is None
    for references in (1, 100, 10_000):
        threshold = borrowed.threshold_for(references, 1e-3)
        assert threshold.extrapolated
        for name in ("commerce", "research", "research_128"):
            measured = find_calibration(catalogue()[name], None)
            assert measured is not None
            assert not measured.borrowed
            assert threshold.score >= measured.threshold_for(references, 1e-3).score


def test_a_pack_file_finds_the_calibration_beside_it_after_the_operators_own(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    pack = replace(catalogue()["commerce"], name="mine", home=tmp_path)
    assert find_calibration(pack, tmp_path / "own") is None
    (tmp_path / "mine.calibration.toml").write_text(format_calibration(MADE), "utf-8")
    assert find_calibration(pack, tmp_path / "own") == MADE
    own = replace(MADE, smallest_shown=0.25)
    (tmp_path / "own" / "mine.calibration.toml").write_text(format_calibration(own), "utf-8")
    assert find_calibration(pack, tmp_path / "own") == own


def _with_misses(misses: Misses | None) -> Calibration:
    return replace(MADE, misses=misses)


def test_a_larger_gallery_is_searched_by_the_face_only_while_enough_are_found() -> None:
    made = _with_misses(Misses((0.3, 0.5, 0.7), (0.01, 0.1, 0.9)))
    strict, lax = (made.largest_gallery(1e-3, most) for most in (0.02, 0.2))
    assert strict is not None
    assert lax is not None
    assert 1 <= strict < lax
    misses = made.misses
    assert misses is not None
    assert misses.rate_at(made.threshold_for(lax, 1e-3).score) <= 0.2
    assert misses.rate_at(made.threshold_for(lax + 1, 1e-3).score) > 0.2


def test_a_hopeless_pack_still_compares_with_one() -> None:
    assert _with_misses(Misses((-0.9, -0.8), (0.5, 0.9))).largest_gallery(1e-3, 0.1) == 1


def test_unknown_misses_bound_nothing() -> None:
    assert _with_misses(None).largest_gallery(1e-3, 0.1) is None


def test_misses_survive_the_file() -> None:
    made = _with_misses(Misses((0.3, 0.5), (0.01, 0.1)))
    assert parse_calibration(format_calibration(made), "here").misses == made.misses


def test_misses_that_fall_are_refused() -> None:
    text = format_calibration(_with_misses(Misses((0.3, 0.5), (0.01, 0.1)))).replace("0.50000", "0.20000")
    with pytest.raises(SettingsError, match="is damaged"):
        parse_calibration(text, "here")
