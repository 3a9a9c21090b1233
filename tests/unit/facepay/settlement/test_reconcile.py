"""Three accounts of the same money, compared to the cent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from facepay.journal import Entry, State
from facepay.psp.base import Booked, BookedKind, IdempotencyKey
from facepay.settlement.reconcile import Difference, reconcile
from pos_adapter.types import Money, TransactionId


def entry(name: str, state: State = State.CAPTURED, minor: int = 1240) -> Entry:
    return Entry(
        payment=TransactionId(name),
        request=f"request-{name}",
        fingerprint="f",
        state=state,
        amount=Money(minor, "EUR"),
        account="a",
        at_ms=0,
        facts={"key": f"fp-{name}-0", "captured_minor": minor},
    )


def booked(name: str, minor: int = 1240, kind: BookedKind = BookedKind.CAPTURE) -> Booked:
    return Booked(IdempotencyKey(name), kind, Money(minor, "EUR"), "ref")


PAID, REFUND = entry("p1"), replace(entry("r1", State.REFUNDED, 240), original=TransactionId("p1"))
THEIRS = [booked("fp-p1-0"), booked("fp-refund-r1", 240, BookedKind.REFUND)]
ACKNOWLEDGED = frozenset({"p1"})


def test_accounts_that_agree_are_clean() -> None:
    result = reconcile([PAID, REFUND], ACKNOWLEDGED, THEIRS)
    assert result.clean
    assert result.matched == 2
    assert (result.totals[0].journal_captured, result.totals[0].provider_refunded) == (1240, 240)


@pytest.mark.parametrize(
    ("ours", "acknowledged", "theirs", "difference"),
    [
        ([PAID], ACKNOWLEDGED, [], Difference.MISSING_AT_PROVIDER),
        ([], frozenset(), [booked("fp-p1-0")], Difference.UNKNOWN_TO_JOURNAL),
        ([PAID], ACKNOWLEDGED, [booked("fp-p1-0", 1241)], Difference.AMOUNT_DIFFERS),
        ([PAID], ACKNOWLEDGED, [booked("fp-p1-0")] * 2, Difference.BOOKED_TWICE),
        ([PAID], frozenset(), [booked("fp-p1-0")], Difference.NOT_ACKNOWLEDGED),
        ([entry("p1", State.CONFIRMED)], ACKNOWLEDGED, [], Difference.NOT_CAPTURED),
    ],
)
def test_each_difference_is_found(
    ours: list[Entry], acknowledged: frozenset[str], theirs: list[Booked], difference: Difference
) -> None:
    result = reconcile(ours, acknowledged, theirs)
    assert not result.clean
    assert [finding.difference for finding in result.findings] == [difference]


def test_money_of_the_day_before_is_not_counted_again() -> None:
    result = reconcile([PAID], ACKNOWLEDGED, [booked("fp-p1-0"), booked("fp-p0-0")], frozenset({"fp-p0-0"}))
    assert result.clean
