from __future__ import annotations

import pytest

from facepay.testing.waiting import eventually
from pos_adapter.deadlines import Deadlines
from pos_adapter.repetition import Repetition, RepetitionOptions, RepetitionWatch
from pos_adapter.sale import Sale, SaleEvent
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost
from pos_adapter.types import ExchangeKey, Money, PaymentRequest, Settlement

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
AMOUNT = Money(1240, "EUR")


def ignore(event: SaleEvent) -> None:
    pass


def approved(host: SimulatedHost, exchange: str = "1") -> Sale:
    key = ExchangeKey("concert", "terminal", "01", exchange)
    sale = TransactionSession(host).begin(PaymentRequest(key, AMOUNT), ignore)
    sale.wait(5)
    return sale


def settlements(host: SimulatedHost) -> list[Settlement]:
    return [record.settlement for record in host.payments.values()]


def test_asking_voids_at_once_and_marks_the_repetition() -> None:
    host, watch = SimulatedHost(), RepetitionWatch(Deadlines())
    watch.remember("01", AMOUNT, approved(host))
    assert settlements(host) == [Settlement.VOIDED]
    assert watch.claim("01", AMOUNT) == (None, True)
    assert watch.claim("01", AMOUNT) == (None, False)


@pytest.mark.parametrize(("till", "minor"), [("02", 1240), ("01", 1250)])
def test_another_till_or_amount_is_no_repetition_and_voids_what_was_kept(till: str, minor: int) -> None:
    host = SimulatedHost()
    watch = RepetitionWatch(Deadlines(), RepetitionOptions(Repetition.RETURN, 60))
    watch.remember("01", AMOUNT, approved(host))
    assert settlements(host) == [Settlement.PENDING]
    assert watch.claim(till, Money(minor, "EUR")) == (None, False)
    assert settlements(host) == [Settlement.VOIDED]


def test_a_kept_approval_is_given_back_within_the_window_only() -> None:
    now = [0.0]
    host = SimulatedHost()
    watch = RepetitionWatch(Deadlines(), RepetitionOptions(Repetition.RETURN, 60), clock=lambda: now[0])
    sale = approved(host)
    watch.remember("01", AMOUNT, sale)
    now[0] = 59.0
    assert watch.claim("01", AMOUNT) == (sale, True)
    watch.remember("01", AMOUNT, approved(host, "2"))
    now[0] = 120.0
    assert watch.claim("01", AMOUNT) == (None, False)
    assert settlements(host)[1] is Settlement.VOIDED


def test_a_kept_approval_nobody_asks_for_again_is_voided_when_the_window_ends() -> None:
    host = SimulatedHost()
    watch = RepetitionWatch(Deadlines(), RepetitionOptions(Repetition.RETURN, 0.1))
    watch.remember("01", AMOUNT, approved(host))
    eventually(lambda: settlements(host) == [Settlement.VOIDED])
    assert watch.claim("01", AMOUNT) == (None, False)
