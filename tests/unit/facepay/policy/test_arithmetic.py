"""The figures of docs/factors-and-false-matches.md, computed."""

from __future__ import annotations

from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[4] / "docs/factors-and-false-matches.md"


def fpir(fmr: float, identities: int) -> float:
    return float(1 - (1 - fmr) ** identities)


@pytest.mark.parametrize(
    ("fmr", "identities", "told"),
    [
        (1e-4, 100, 0.010),
        (1e-4, 1_000, 0.095),
        (1e-4, 10_000, 0.63),
        (1e-4, 1_000_000, 1.0),
        (1e-6, 100, 0.0001),
        (1e-6, 1_000, 0.001),
        (1e-6, 10_000, 0.010),
        (1e-6, 1_000_000, 0.63),
        (1e-8, 100, 0.000001),
        (1e-8, 1_000, 0.00001),
        (1e-8, 10_000, 0.0001),
        (1e-8, 1_000_000, 0.010),
    ],
)
def test_a_figure_of_the_table_is_right(fmr: float, identities: int, told: float) -> None:
    assert fpir(fmr, identities) == pytest.approx(told, rel=0.01)


@pytest.mark.parametrize(
    ("compared", "one_in"), [(1_000, 10**6), (10_000, 10**7), (1_000_000, 10**9), (100, 10**5)]
)
def test_the_rate_needed_gives_one_in_a_thousand(compared: int, one_in: int) -> None:
    assert fpir(1 / one_in, compared) == pytest.approx(1e-3, rel=0.001)


def test_two_wrong_people_a_day_are_730_a_year() -> None:
    assert pytest.approx(730) == 2_000 * 1e-3 * 365


def test_fifty_guesses_of_a_pin_are_half_a_percent() -> None:
    assert 50 / 10**4 == 0.005
    assert "0.5 %" in PAGE.read_text("utf-8")
