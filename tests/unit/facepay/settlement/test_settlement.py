"""Authorise, announce, capture or void, whatever the network does."""

from __future__ import annotations

import pytest

from facepay.errors import OutcomeUnknown
from facepay.journal import IllegalTransition, State
from facepay.psp.base import Answer, PspUnreachable
from facepay.settlement import order_of
from facepay.testing.faulty_provider import Mishap
from pos_adapter.types import Money, TransactionId
from tests.unit.facepay.settlement.conftest import ANNA, Shop

UNCLEAR = [Mishap.LOST_REQUEST, Mishap.LATE_REQUEST, Mishap.LOST_ANSWER, Mishap.NONSENSE]


def test_an_acknowledged_approval_is_captured_once(shop: Shop) -> None:
    payment = shop.pay("p1")
    shop.settlement.acknowledge(payment, learned=True)
    assert shop.state(payment) is State.CAPTURED
    assert shop.taken == 1240
    assert shop.calls == ["authorise", "capture"]


def test_an_approval_the_till_never_learned_of_is_voided(shop: Shop) -> None:
    payment = shop.identified("p1")
    shop.authorise(payment)
    shop.settlement.announce(payment)
    shop.settlement.acknowledge(payment, learned=False)
    assert shop.state(payment) is State.VOIDED
    assert shop.taken == 0


def test_an_approval_that_was_not_announced_is_never_captured(shop: Shop) -> None:
    payment = shop.identified("p1")
    shop.authorise(payment)
    shop.settlement.acknowledge(payment, learned=True)
    assert (shop.state(payment), shop.taken) == (State.VOIDED, 0)


def test_a_decline_leaves_nothing_held(shop: Shop) -> None:
    payment = shop.identified("p1", 100_001)
    assert shop.authorise(payment, 100_001).answer is Answer.DECLINED
    assert (shop.state(payment), shop.taken) == (State.DECLINED, 0)


def test_a_provider_out_of_reach_declines_for_certain(shop: Shop) -> None:
    payment = shop.identified("p1")
    shop.mishaps = [Mishap.UNREACHABLE]
    with pytest.raises(PspUnreachable):
        shop.authorise(payment)
    assert (shop.state(payment), shop.taken) == (State.DECLINED, 0)


@pytest.mark.parametrize("mishap", [Mishap.LOST_ANSWER, Mishap.NONSENSE, Mishap.LATE_REQUEST])
def test_a_lost_answer_is_asked_for_again(shop: Shop, mishap: Mishap) -> None:
    payment = shop.identified("p1")
    shop.mishaps = [mishap]
    assert shop.authorise(payment).answer is Answer.APPROVED
    assert (shop.state(payment), shop.taken) == (State.AUTHORISED, 1240)
    assert shop.calls == ["authorise", "find"]


def test_an_order_the_provider_never_saw_is_barred_and_declined(shop: Shop) -> None:
    payment = shop.identified("p1")
    shop.mishaps = [Mishap.LOST_REQUEST]
    assert shop.authorise(payment).answer is Answer.DECLINED
    assert (shop.state(payment), shop.taken) == (State.VOIDED, 0)


def test_an_order_that_arrives_after_the_void_holds_nothing(shop: Shop) -> None:
    payment = shop.identified("p1")
    shop.mishaps = [Mishap.LOST_REQUEST]
    assert shop.authorise(payment).answer is Answer.DECLINED
    entry = shop.journal.find(payment)
    assert entry is not None
    assert shop.ledger.authorise(order_of(entry)).answer is Answer.DECLINED
    assert (shop.state(payment), shop.taken) == (State.VOIDED, 0)


@pytest.mark.parametrize("mishap", UNCLEAR)
def test_nobody_is_told_of_a_decline_while_money_may_move(shop: Shop, mishap: Mishap) -> None:
    payment = shop.identified("p1")
    shop.mishaps = [Mishap.LOST_ANSWER, *[mishap] * 6]
    with pytest.raises(OutcomeUnknown):
        shop.authorise(payment)
    assert shop.state(payment) is State.VOIDING
    assert shop.settlement.finish().voided == (payment,)
    assert shop.taken == 0


def test_an_unclear_answer_tells_the_till_that_it_is_being_resolved(shop: Shop) -> None:
    told: list[str] = []
    payment = shop.identified("p1")
    shop.mishaps = [Mishap.LOST_ANSWER]
    amount = Money(1240, "EUR")
    shop.settlement.authorise(
        payment, ANNA, amount, payee="p", terminal="T1", resolving=lambda: told.append("x")
    )
    assert told == ["x"]


@pytest.mark.parametrize("mishap", [*UNCLEAR, Mishap.UNREACHABLE, Mishap.TWICE])
def test_a_capture_is_repeated_until_it_is_known(shop: Shop, mishap: Mishap) -> None:
    payment = shop.identified("p1")
    shop.authorise(payment)
    shop.settlement.announce(payment)
    shop.mishaps = [mishap]
    assert shop.settlement.acknowledge(payment, learned=True).state is State.CAPTURED
    assert shop.taken == 1240


def test_a_capture_nobody_answers_stays_open_and_is_finished_later(shop: Shop) -> None:
    payment = shop.identified("p1")
    shop.authorise(payment)
    shop.settlement.announce(payment)
    shop.mishaps = [Mishap.LOST_ANSWER] * 3
    assert shop.settlement.acknowledge(payment, learned=True).state is State.CONFIRMED
    assert shop.settlement.finish().captured == (payment,)
    assert shop.taken == 1240


def test_after_a_restart_everything_open_is_settled(shop: Shop) -> None:
    new, held, told, confirmed = (shop.identified(name) for name in ("new", "held", "told", "conf"))
    for payment in (held, told, confirmed):
        shop.authorise(payment)
    for payment in (told, confirmed):
        shop.settlement.announce(payment)
    shop.journal.advance(confirmed, State.CONFIRMED)
    shop.restart()
    settled = shop.settlement.settle_open()
    assert settled.clean
    assert (settled.captured, settled.voided, settled.ended) == ((confirmed,), (held, told), (new,))
    assert shop.taken == 1240
    assert not shop.journal.open_entries()


def test_a_restart_knows_when_the_till_had_learned(shop: Shop) -> None:
    payment = shop.identified("p1")
    shop.authorise(payment)
    shop.settlement.announce(payment)
    shop.restart()
    assert shop.settlement.settle_open(learned=lambda entry: True).captured == (payment,)


def test_what_the_provider_does_not_answer_stays_open_after_a_restart(shop: Shop) -> None:
    payment = shop.identified("p1")
    shop.authorise(payment)
    shop.restart()
    shop.mishaps = [Mishap.UNREACHABLE] * 3
    settled = shop.settlement.settle_open()
    assert (settled.clean, settled.still_open) == (False, (payment,))
    assert shop.settlement.finish().voided == (payment,)


def telling(shop: Shop, name: str = "p1", **more: bool) -> TransactionId:
    payment = shop.identified(name)
    shop.authorise(payment)
    shop.settlement.announce(payment)
    shop.settlement.telling(payment, **more)
    shop.restart()
    return payment


def test_what_was_being_told_waits_for_its_till_after_a_restart(shop: Shop) -> None:
    payment = telling(shop)
    settled = shop.settlement.settle_open()
    assert (settled.clean, settled.telling, shop.state(payment)) == (True, (payment,), State.TELLING)
    shop.settlement.acknowledge(payment, learned=True)
    assert (shop.state(payment), shop.taken) == (State.CAPTURED, 1240)
    assert shop.settlement.take_silence(settled.telling) == ()


def test_a_till_that_asks_nothing_has_heard(shop: Shop) -> None:
    payment = telling(shop)
    shop.settlement.take_silence(shop.settlement.settle_open().telling)
    assert (shop.state(payment), shop.taken) == (State.CAPTURED, 1240)


def test_a_till_that_says_it_did_not_hear_gets_a_void(shop: Shop) -> None:
    payment = telling(shop)
    assert shop.settlement.settle_open(learned=lambda entry: False).voided == (payment,)
    assert shop.taken == 0


def test_the_silence_of_a_till_that_will_say_means_nothing(shop: Shop) -> None:
    payment = telling(shop, till_will_say=True)
    assert shop.settlement.take_silence(shop.settlement.settle_open().telling) == ()
    assert shop.state(payment) is State.TELLING


def test_what_was_voided_meanwhile_must_not_be_told(shop: Shop) -> None:
    payment = shop.identified("p1")
    shop.authorise(payment)
    shop.settlement.announce(payment)
    shop.settlement.acknowledge(payment, learned=False)
    with pytest.raises(IllegalTransition):
        shop.settlement.telling(payment)
