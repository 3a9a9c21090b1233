"""nexo's memory of exchanges: what is over is kept in few bytes and still told the same."""

from __future__ import annotations

import pytest

from pos_adapter.errors import KeyReused
from pos_adapter.protocols.nexo.exchanges import KEEP_S, MOST, Exchange, Exchanges
from pos_adapter.protocols.nexo.header import Header
from pos_adapter.protocols.nexo.options import NexoOptions
from pos_adapter.protocols.nexo.recall import Packed, PaymentFiled, PaymentTold, Records
from pos_adapter.protocols.nexo.requests import PaymentOrder, read_payment
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost
from pos_adapter.types import ExchangeKey, Money, PaymentRequest, ReversalRequest

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
HEADER = Header("Service", "Payment", "Request", "POS-01", "FACE01-1", "S1", protocol_version="3.0")
TIME = "2026-11-22T00:00:00.000Z"


def order(minor: int) -> PaymentOrder:
    sale = {"SaleTransactionID": {"TransactionID": "T1", "TimeStamp": TIME}, "TokenRequestedType": "Customer"}
    amounts = {"AmountsReq": {"Currency": "EUR", "RequestedAmount": Money(minor, "EUR").major}}
    return read_payment({"PaymentRequest": {"SaleData": sale, "PaymentTransaction": amounts}})


def paid(host: SimulatedHost, exchanges: Exchanges, minor: int = 1240) -> tuple[Exchange, Records]:
    """One payment that the till has not learned of yet."""
    session = TransactionSession(host)
    exchange, _ = exchanges.open(HEADER.key, b"f")
    sale = session.begin(PaymentRequest(HEADER.key, Money(minor, "EUR"), reference="T1"), lambda event: None)
    exchange.begin(sale.cancel, sale)
    response = sale.wait(30)
    assert response is not None
    records = Records(session, NexoOptions(clear_allowed=True))
    exchange.note(response)
    exchange.end(PaymentTold(records, HEADER, order(minor), response))
    return exchange, records


def result(exchange: Exchange) -> object:
    assert exchange.answer is not None
    return exchange.answer()["PaymentResponse"]["Response"]["Result"]  # type: ignore[index, call-overload]


def test_a_settled_payment_is_filed_and_told_the_same() -> None:
    exchanges = Exchanges()
    exchange, _ = paid(SimulatedHost(), exchanges)
    assert exchange.sale is not None
    exchange.sale.settle(learned=True)
    before = exchange.answer() if exchange.answer else None
    exchanges.file(exchange)
    assert isinstance(exchange.answer, PaymentFiled)
    assert exchange.answer() == before
    assert exchange.sale is None
    assert exchange.ended.is_set()
    assert exchange.paid is not None
    assert exchanges.find_currency(exchange.paid[0]) == "EUR"


def test_an_approval_the_till_has_not_learned_of_is_not_filed() -> None:
    exchanges = Exchanges()
    exchange, _ = paid(SimulatedHost(), exchanges)
    exchanges.file(exchange)
    assert exchange.sale is not None
    assert isinstance(exchange.answer, PaymentTold)


def test_an_unknown_result_is_not_filed_before_it_is_known() -> None:
    host = SimulatedHost()
    exchanges = Exchanges()
    _, records = paid(host, exchanges)
    unknown = PaymentRequest(ExchangeKey("nexo", "FACE01-1", "POS-01", "S2"), Money(508, "EUR"))
    response = host.pay(unknown, lambda step: None)
    header = Header("Service", "Payment", "Request", "POS-01", "FACE01-1", "S2")
    held, _ = exchanges.open(unknown.key, b"f")
    held.end(PaymentTold(records, header, order(508), response))
    exchanges.file(held)
    assert isinstance(held.answer, PaymentTold)


def filed(host: SimulatedHost) -> Exchange:
    exchanges = Exchanges()
    exchange, _ = paid(host, exchanges)
    assert exchange.sale is not None
    exchange.sale.settle(learned=True)
    exchanges.file(exchange)
    return exchange


def test_a_filed_approval_whose_money_went_back_is_none() -> None:
    host = SimulatedHost()
    exchange = filed(host)
    assert result(exchange) == "Success"
    host.reverse(
        ReversalRequest(ExchangeKey("nexo", "", "", "r"), exchange.paid[0] if exchange.paid else None)
    )
    assert result(exchange) == "Failure"


def test_a_filed_answer_is_told_when_the_records_cannot_be_read() -> None:
    host = SimulatedHost()
    exchange = filed(host)
    host.broken = OSError("the disk is gone")
    assert result(exchange) == "Success"


def test_the_next_request_files_what_is_over() -> None:
    exchanges = Exchanges()
    refused, _ = exchanges.open(ExchangeKey("nexo", "P", "S", "1"), b"f")
    refused.end(Packed({"PaymentResponse": {}}))
    exchanges.open(ExchangeKey("nexo", "P", "S", "2"), b"f")
    third, _ = exchanges.open(ExchangeKey("nexo", "P", "S", "3"), b"f")
    third.end(None)
    exchanges.open(ExchangeKey("nexo", "P", "S", "4"), b"f")
    # One event stands for all that is over.
    assert refused.ended is third.ended
    assert refused.answer is not None
    assert refused.answer() == {"PaymentResponse": {}}


def test_entries_leave_after_two_days_or_when_there_are_too_many() -> None:
    now = [0.0]
    exchanges = Exchanges(clock=lambda: now[0])
    for number in range(MOST + 10):
        exchange, _ = exchanges.open(ExchangeKey("nexo", "P", "S", str(number)), b"f")
        exchange.end(None)
    assert exchanges.find(ExchangeKey("nexo", "P", "S", "5")) is None
    assert exchanges.find(ExchangeKey("nexo", "P", "S", "100")) is not None
    now[0] = KEEP_S + 1
    exchanges.open(ExchangeKey("nexo", "P", "S", "new"), b"f")
    assert exchanges.find(ExchangeKey("nexo", "P", "S", "100")) is None


def test_a_key_used_for_another_request_is_refused() -> None:
    exchanges = Exchanges()
    exchanges.open(ExchangeKey("nexo", "P", "S", "1"), b"one")
    with pytest.raises(KeyReused):
        exchanges.open(ExchangeKey("nexo", "P", "S", "1"), b"two")


def test_an_abort_that_comes_before_the_sale_can_be_stopped_stops_it_then() -> None:
    exchange, _ = Exchanges().open(ExchangeKey("nexo", "P", "S", "1"), b"f")
    stopped: list[bool] = []
    exchange.stop()
    exchange.begin(lambda: stopped.append(True))
    assert stopped == [True]
