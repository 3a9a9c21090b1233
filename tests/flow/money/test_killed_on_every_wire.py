"""A real process killed at every state of the journal, while a till pays over each wire."""

from __future__ import annotations

from pathlib import Path

import pytest

from facepay.chaos.wire_kills import ONE_A_STATE, kill_on_wire

TILL_HEARS_BACK = {"rest", "zvt"}
"""Here the terminal answers the acknowledgement, so that a till knows when it was lost."""


@pytest.mark.parametrize("wire", ["rest", "hw_proxy", "nexo", "zvt", "caisse_ap", "concert"])
def test_captures_equal_the_approvals_the_till_took(wire: str, tmp_path: Path) -> None:
    verdict = kill_on_wire(tmp_path, wire, ONE_A_STATE)
    assert verdict.kills == len(ONE_A_STATE)
    assert verdict.proven, verdict
    # No shopper pays for what no till took.
    assert set(verdict.captured) <= set(verdict.handed_over)
    # The window in which the till knows and the journal does not is the shop's.
    assert len(verdict.borne_by_the_shop) == (0 if wire in TILL_HEARS_BACK else 1)
