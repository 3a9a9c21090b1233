"""The table of states: every step is in it or is a fault."""

from __future__ import annotations

import itertools

import pytest

from facepay.journal.errors import IllegalTransition
from facepay.journal.states import FINAL, MONEY_MAY_MOVE, OPEN, TRANSITIONS, State, require_step


def test_every_state_has_a_row() -> None:
    assert set(TRANSITIONS) == set(State)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)))
def test_a_step_is_in_the_table_or_a_fault(before: State, after: State) -> None:
    if after in TRANSITIONS[before]:
        require_step(before, after)
    else:
        with pytest.raises(IllegalTransition, match=f"from {before.name} to {after.name}"):
            require_step(before, after)


def test_every_open_state_can_reach_an_end() -> None:
    reached = set(FINAL)
    while grown := {s for s in OPEN - reached if TRANSITIONS[s] & reached}:
        reached |= grown
    assert reached == set(State)


def test_nothing_is_aborted_once_money_may_move() -> None:
    assert all(State.ABORTED not in TRANSITIONS[state] for state in MONEY_MAY_MOVE)


def test_an_announced_approval_is_never_declined() -> None:
    assert State.DECLINED not in TRANSITIONS[State.ANNOUNCED]
