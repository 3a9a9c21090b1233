"""An earlier run died while it told an approval: what the till's next request makes of that money."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pos_adapter.errors import NotToBeTold
from pos_adapter.keyless import sell
from pos_adapter.repetition import Repetition, RepetitionOptions, RepetitionWatch
from pos_adapter.sale import Sale, SaleEvent
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost
from pos_adapter.types import ExchangeKey, Money, PaymentRequest, PaymentResponse, Settlement, TransactionId

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")


def request(name: str, minor: int = 1240) -> PaymentRequest:
    return PaymentRequest(ExchangeKey("concert", "facepay", "01", name), Money(minor, "EUR"))


def ignore(event: SaleEvent) -> None:
    """Nobody listens."""


class Till:
    """Takes every approval."""

    def __init__(self) -> None:
        self.told: list[TransactionId | None] = []

    def answer_at_once(self) -> None: ...

    def await_end(self, sale: Sale) -> PaymentResponse:
        response = sale.wait(5)
        assert response is not None
        return response

    def announce(self, response: PaymentResponse, telling: Callable[[], object]) -> bool:
        telling()
        self.told.append(response.transaction)
        return True

    def conclude(self, response: PaymentResponse) -> None: ...


def ask_again(choice: Repetition, minor: int) -> tuple[SimulatedHost, list[TransactionId | None]]:
    host, till = SimulatedHost(), Till()
    host.pay(request("earlier"), lambda step: None)
    session = TransactionSession(host)
    watch = RepetitionWatch(session.deadlines, RepetitionOptions(choice))
    sell(session, watch, request("again", minor), ignore, till)
    return host, till.told


def test_the_same_amount_again_voids_it_and_is_marked() -> None:
    host, told = ask_again(Repetition.ASK, 1240)
    old, new = host.payments.values()
    assert (old.settlement, new.settlement) == (Settlement.VOIDED, Settlement.CAPTURED)
    assert new.request.possible_duplicate
    assert len(told) == 1


def test_the_same_amount_again_is_answered_again_where_the_shop_chose_so() -> None:
    host, told = ask_again(Repetition.RETURN, 1240)
    (only,) = host.payments.values()
    assert only.settlement is Settlement.CAPTURED
    assert only.response is not None
    assert told == [only.response.transaction]


def test_another_amount_says_nothing_about_it() -> None:
    host, _ = ask_again(Repetition.ASK, 990)
    assert [record.settlement for record in host.payments.values()] == [
        Settlement.PENDING,
        Settlement.CAPTURED,
    ]


def test_an_approval_of_this_run_is_not_taken_for_an_earlier_ones() -> None:
    host = SimulatedHost()
    session = TransactionSession(host)
    session.begin(request("now"), ignore).wait(5)
    assert session.left_telling("concert", "01") is None


def test_an_approval_that_cannot_be_written_down_is_not_told() -> None:
    class Full(SimulatedHost):
        def telling(self, transaction: TransactionId, till_will_say: bool) -> None:
            raise OSError("no space left on the device")

    sale = TransactionSession(Full()).begin(request("now"), ignore)
    sale.wait(5)
    with pytest.raises(NotToBeTold):
        sale.telling()
