"""No outcome lacks a row on any wire, and no row breaks the rules of money."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pos_adapter.protocols.caisse_ap.messages import Reason, Result
from pos_adapter.protocols.caisse_ap.outcomes import ANSWERS as CAISSE
from pos_adapter.protocols.concert.messages import Result as ConcertResult
from pos_adapter.protocols.concert.outcomes import RESULTS as CONCERT
from pos_adapter.protocols.hw_proxy.outcomes import ANSWERS as HW_PROXY
from pos_adapter.protocols.rest.documents import status_of
from pos_adapter.protocols.rest.outcomes import STATUSES, WORDS
from pos_adapter.types import Outcome
from pos_adapter.upstream import FALL_BACK

TABLES: dict[str, Mapping[Outcome, object]] = {
    "concert": CONCERT,
    "caisse_ap": CAISSE,
    "hw_proxy": HW_PROXY,
    "rest statuses": STATUSES,
    "rest words": WORDS,
}


@pytest.mark.parametrize("table", TABLES)
def test_every_outcome_has_a_row(table: str) -> None:
    assert set(TABLES[table]) == set(Outcome)


def test_only_approvals_sound_like_approvals() -> None:
    assert [o for o in Outcome if CONCERT[o] is ConcertResult.OK] == [Outcome.APPROVED]
    assert [o for o in Outcome if CAISSE[o] == (Result.DONE, None)] == [Outcome.APPROVED]
    assert [o for o in Outcome if HW_PROXY[o][0] is True] == [Outcome.APPROVED]
    assert {o for o in Outcome if status_of(o) == "approved"} == {Outcome.APPROVED, Outcome.PARTIAL}


def test_an_unknown_result_is_never_told_as_a_refusal() -> None:
    unknown = Outcome.PROVIDER_UNKNOWN
    assert CONCERT[unknown] is None
    assert CAISSE[unknown] is None
    assert HW_PROXY[unknown][0] is None
    assert status_of(unknown) == "unknown"


@pytest.mark.parametrize("table", [CONCERT, CAISSE, HW_PROXY, STATUSES, WORDS])
def test_no_wire_tells_an_attack_from_a_stranger(table: Mapping[Outcome, object]) -> None:
    assert table[Outcome.ATTACK_SUSPECTED] == table[Outcome.NO_MATCH]


def test_the_card_is_never_the_way_on_after_money_may_have_moved() -> None:
    kept = {Outcome.APPROVED, Outcome.PARTIAL, Outcome.PROVIDER_UNKNOWN, Outcome.CASHIER_ABORT}
    assert not kept & set(FALL_BACK)
    assert set(FALL_BACK) == set(Outcome) - kept - {Outcome.BUSY, Outcome.BAD_REQUEST}


def test_the_reasons_of_caisse_ap_are_those_of_its_table() -> None:
    assert CAISSE[Outcome.TIMEOUT] == (Result.NOT_DONE, Reason.TIMEOUT)
    assert CAISSE[Outcome.CASHIER_ABORT] == (Result.NOT_DONE, Reason.OPERATOR)
