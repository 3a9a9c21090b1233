"""A real process killed at every state of the journal, while a till pays over each wire."""

from __future__ import annotations

from pathlib import Path

import pytest

from facepay.chaos.faults import KillPoint
from facepay.chaos.wire_kills import SAYS_BACK, kill_on_wire, kill_points
from facepay.journal import State

BEFORE_WRITING = KillPoint("before", State.CONFIRMED)
"""The till has taken the approval; the terminal dies before it could write that down."""


@pytest.mark.fault(
    "the process killed at every state", "rest", "nexo", "zvt", "concert", "caisse_ap", "hw_proxy"
)
@pytest.mark.parametrize("wire", ["rest", "hw_proxy", "nexo", "zvt", "caisse_ap", "concert"])
def test_captures_equal_the_approvals_the_till_took(wire: str, tmp_path: Path) -> None:
    points = tuple(p for p in kill_points(wire) if p.when == "after" or p == BEFORE_WRITING)
    verdict = kill_on_wire(tmp_path, wire, points)
    assert verdict.proven, verdict
    assert (KillPoint("after", State.TELLING) in points) == (wire not in SAYS_BACK)
    assert len(verdict.captured) > 1
