"""A small run of the disasters; `facepay chaos` runs thousands."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from facepay.chaos import ChaosPlan, run_chaos
from facepay.errors import InputUnusable


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logger = logging.getLogger("facepay")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(before)


def test_captures_equal_acknowledged_approvals_whatever_breaks(tmp_path: Path) -> None:
    verdict = run_chaos(tmp_path, ChaosPlan(payments=150, seed=7, kills=3, mishap_rate=0.2, cut_rate=0.3))
    assert verdict.failures == ()
    assert verdict.captured > 50
    assert (
        min(
            verdict.power_cuts,
            verdict.kills,
            verdict.mishaps,
            verdict.declined,
            verdict.voided,
            verdict.refunded,
        )
        > 0
    )


def test_the_same_seed_gives_the_same_disasters(tmp_path: Path) -> None:
    plan = ChaosPlan(payments=40, seed=3, kills=0)
    verdicts = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        verdicts.append(run_chaos(tmp_path / name, plan))
    assert verdicts[0] == verdicts[1]


def test_a_folder_that_holds_a_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "terminal.db").touch()
    with pytest.raises(InputUnusable, match="empty folder"):
        run_chaos(tmp_path, ChaosPlan(payments=1))
