"""The cashier's page: one sale as any till runs it, and the card whatever happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from facepay.counter import Counter, Phase
from facepay.web import WebDeps, create_app
from facepay.web.problems import PageError
from facepay.web.till_desk import TillDesk
from pos_adapter.base import ProgressListener
from pos_adapter.types import (
    ExchangeKey,
    Money,
    Outcome,
    PaymentRequest,
    PaymentResponse,
    TerminalStatus,
    TransactionId,
)

Post = Callable[..., TestResponse]


class OneSale:
    """A payment host with a counter: it approves when told to, and notes the till's acknowledgement."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.decide = threading.Event()
        self.settled = threading.Event()
        self.learned: bool | None = None
        self.cancelled: list[ExchangeKey] = []

    def pay(self, request: PaymentRequest, progress: ProgressListener) -> PaymentResponse:
        self.decide.wait(5)
        self.counter.show(replace(self.counter.view, phase=Phase.APPROVED, sale="s1"))
        return PaymentResponse(
            Outcome.APPROVED,
            request.amount,
            datetime.now(UTC),
            TransactionId("s1"),
            authorised=request.amount,
        )

    def telling(self, transaction: TransactionId, till_will_say: bool) -> None: ...

    def acknowledge(self, transaction: TransactionId, learned: bool) -> None:
        self.learned = learned
        self.settled.set()

    def cancel(self, key: ExchangeKey) -> None:
        self.cancelled.append(key)

    def status(self) -> TerminalStatus:
        return TerminalStatus.READY


@pytest.fixture
def host(counter: Counter) -> OneSale:
    return OneSale(counter)


def test_an_approval_that_the_page_has_shown_is_captured(counter: Counter, host: OneSale) -> None:
    desk = TillDesk(host, counter, "T1")
    desk.start(Money(1240, "EUR"), "")
    host.decide.set()
    while counter.view.phase is not Phase.APPROVED:
        time.sleep(0.001)
    assert not desk.learned("s0")
    assert desk.learned("s1")
    assert host.settled.wait(2)
    assert host.learned is True


def test_an_approval_that_no_page_has_shown_is_given_back(counter: Counter, host: OneSale) -> None:
    desk = TillDesk(host, counter, "T1", learn_timeout_s=0.05)
    desk.start(Money(1240, "EUR"), "")
    host.decide.set()
    assert host.settled.wait(2)
    assert host.learned is False


def test_a_second_sale_waits_for_the_first(counter: Counter, host: OneSale) -> None:
    desk = TillDesk(host, counter, "T1", learn_timeout_s=0.01)
    desk.start(Money(1240, "EUR"), "")
    with pytest.raises(PageError, match="running"):
        desk.start(Money(100, "EUR"), "")
    host.decide.set()
    assert host.settled.wait(2)


def test_a_cancel_reaches_the_host(deps: WebDeps, host: OneSale) -> None:
    client = create_app(replace(deps, host=host)).test_client()
    headers = {"Origin": "http://localhost", "Accept": "application/json"}
    assert client.post("/till/start", json={"amount_minor": 1240}, headers=headers).status_code == 200
    assert client.post("/till/cancel", headers=headers).status_code == 200
    assert len(host.cancelled) == 1
    host.decide.set()


def test_a_dead_engine_refuses_the_sale_and_names_the_card(post: Post) -> None:
    answer = post("/till/start", json={"amount_minor": 1240})
    assert answer.status_code == 503
    assert "card" in answer.get_json()["detail"]


def test_the_card_key_is_never_refused(post: Post, offer: Callable[..., None]) -> None:
    assert post("/till/card").status_code == 200
    offer(phase=Phase.AUTHORISING)
    assert post("/till/card").status_code == 200


def test_there_is_nothing_to_cancel_without_a_sale(post: Post) -> None:
    assert post("/till/cancel").status_code == 409


def test_the_page_offers_the_goods_with_their_prices(client: FlaskClient) -> None:
    page = client.get("/till/").get_data(as_text=True)
    assert 'data-price="320"' in page
    assert "3.20 EUR" in page


def test_the_goods_of_the_demonstration_have_names_in_every_language(client: FlaskClient) -> None:
    page = client.get("/till/?lang=de").get_data(as_text=True)
    assert 'data-good="Bread" data-name="Brot"' in page
    assert "3,20 EUR" in page
