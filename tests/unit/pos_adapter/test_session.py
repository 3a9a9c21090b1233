from __future__ import annotations

import dataclasses
import queue
import time

import pytest

from facepay.testing.waiting import eventually
from pos_adapter.errors import KeyReused, RequestInProgress
from pos_adapter.sale import Finished, Progressed, SaleEvent, SessionOptions, final_response
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.types import (
    ExchangeKey,
    Money,
    Outcome,
    PaymentRecord,
    PaymentRequest,
    ProgressStep,
    Settlement,
    TransactionId,
)

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")


def request(minor: int = 1240, exchange: str = "1") -> PaymentRequest:
    return PaymentRequest(ExchangeKey("test", "terminal", "till", exchange), Money(minor, "EUR"))


def settlement(host: SimulatedHost) -> Settlement:
    (record,) = host.payments.values()
    return record.settlement


def ignore(event: SaleEvent) -> None:
    pass


def test_a_sale_tells_its_progress_and_then_its_end() -> None:
    events: queue.SimpleQueue[SaleEvent] = queue.SimpleQueue()
    with TransactionSession(SimulatedHost()).begin(request(), events.put) as sale:
        response = sale.wait(5)
        assert response is not None
        assert response.outcome is Outcome.APPROVED
        first = events.get(timeout=5)
        assert first == Progressed(ProgressStep.WAITING_FOR_SHOPPER)
        sale.settle(learned=True)


def test_leaving_a_sale_without_an_acknowledgement_voids_it() -> None:
    host = SimulatedHost()
    with TransactionSession(host).begin(request(), ignore) as sale:
        sale.wait(5)
    assert settlement(host) is Settlement.VOIDED


def test_a_sale_is_settled_once() -> None:
    host = SimulatedHost()
    sale = TransactionSession(host).begin(request(), ignore)
    sale.wait(5)
    assert sale.settle(learned=True)
    assert not sale.settle(learned=False)
    assert settlement(host) is Settlement.CAPTURED


def test_leaving_a_running_sale_cancels_it_and_voids_what_it_may_still_approve() -> None:
    class Deaf(SimulatedHost):
        def cancel(self, key: ExchangeKey) -> None:
            """A host that approves although it was asked to stop."""

    host = Deaf(SimulatorOptions(shopper_s=0.1))
    with TransactionSession(host).begin(request(), ignore) as sale:
        pass
    response = sale.wait(5)
    assert response is not None
    assert response.outcome is Outcome.CASHIER_ABORT
    assert settlement(host) is Settlement.VOIDED


def test_a_cancel_that_was_taken_wins_over_an_approval() -> None:
    host = SimulatedHost(SimulatorOptions(shopper_s=60))
    sale = TransactionSession(host).begin(request(), ignore)
    eventually(lambda: host.payments)
    assert sale.cancel()
    response = sale.wait(30)
    assert response is not None
    assert response.outcome is Outcome.CASHIER_ABORT
    assert not sale.cancel()


def test_a_second_sale_is_told_busy_at_once() -> None:
    session = TransactionSession(SimulatedHost(SimulatorOptions(shopper_s=5)))
    with session.begin(request(), ignore):
        other = session.begin(request(exchange="2"), ignore)
        assert other.response is not None
        assert other.response.outcome is Outcome.BUSY
        with session.occupied() as free:
            assert not free


def test_no_sale_starts_while_the_card_terminal_has_the_shopper() -> None:
    session = TransactionSession(SimulatedHost())
    with session.occupied() as free:
        assert free
        sale = session.begin(request(), ignore)
        assert sale.response is not None
        assert sale.response.outcome is Outcome.BUSY


def test_a_repeated_key_answers_the_record_and_another_body_is_refused() -> None:
    host = SimulatedHost()
    session = TransactionSession(host)
    first = session.begin(request(), ignore)
    first.wait(5)
    first.settle(learned=True)
    events: list[SaleEvent] = []
    again = session.begin(request(), events.append)
    assert again.response == first.response
    assert events == [Finished(again.response, replayed=True)] if again.response else False
    with pytest.raises(KeyReused):
        session.begin(request(1250), ignore)
    assert len(host.payments) == 1


def test_a_running_key_is_told_so() -> None:
    session = TransactionSession(SimulatedHost(SimulatorOptions(shopper_s=5)))
    with session.begin(request(), ignore):
        time.sleep(0.05)
        with pytest.raises(RequestInProgress):
            session.begin(request(), ignore)


def test_a_voided_approval_is_never_told_as_an_approval_again() -> None:
    host = SimulatedHost()
    session = TransactionSession(host)
    with session.begin(request(), ignore) as sale:
        sale.wait(5)
    again = session.begin(request(), ignore)
    assert again.response is not None
    assert again.response.outcome is Outcome.CASHIER_ABORT
    assert again.response.authorised is None


def test_an_unknown_result_is_held_and_stays_unknown_when_patience_ends() -> None:
    options = SessionOptions(hold_unknown_s=0.1, look_up_every_s=0.02)
    host = SimulatedHost(SimulatorOptions(unknown_s=60))
    sale = TransactionSession(host, options=options).begin(request(1208), ignore)
    response = sale.wait(5)
    assert response is not None
    assert response.outcome is Outcome.PROVIDER_UNKNOWN


def test_records_that_cannot_be_read_while_a_result_is_unknown_leave_it_unknown() -> None:
    class Forgetful(SimulatedHost):
        asked = 0

        def find(self, key: ExchangeKey) -> PaymentRecord | None:
            self.asked += 1
            if self.asked > 1:
                raise OSError("the database is gone")
            return super().find(key)

    options = SessionOptions(hold_unknown_s=0.1, look_up_every_s=0.02)
    host = Forgetful(SimulatorOptions(unknown_s=60))
    sale = TransactionSession(host, options=options).begin(request(1208), ignore)
    response = sale.wait(5)
    assert response is not None
    assert response.outcome is Outcome.PROVIDER_UNKNOWN


@pytest.mark.parametrize("where", ["find", "pay", "acknowledge"])
def test_whatever_the_host_raises_becomes_an_answer(where: str) -> None:
    class Broken(SimulatedHost):
        def __getattribute__(self, name: str) -> object:
            if name == where:
                raise OSError("broken")
            return super().__getattribute__(name)

    sale = TransactionSession(Broken()).begin(request(), ignore)
    response = sale.wait(5)
    assert response is not None
    assert response.outcome is (Outcome.APPROVED if where == "acknowledge" else Outcome.FAILURE)
    sale.settle(learned=False)


def test_a_refunded_payment_stays_an_approval_in_the_record() -> None:
    host = SimulatedHost()
    sale = TransactionSession(host).begin(request(), ignore)
    sale.wait(5)
    (record,) = host.payments.values()
    refunded = dataclasses.replace(record, settlement=Settlement.REFUNDED)
    assert final_response(refunded) == record.response
    assert final_response(dataclasses.replace(record, response=None)) is None
    host.acknowledge(TransactionId("another"), True)
    assert settlement(host) is Settlement.PENDING
