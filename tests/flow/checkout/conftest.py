"""A shop with a real terminal before the demonstration's stage, one for each file of tests."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from facepay.checkout import Checkout
from facepay.counter import Phase
from facepay.demo.people import Person, default_photos, find_people
from facepay.demo.shopper import Manners
from facepay.demo.theatre import Cast, Theatre
from facepay.settings import Settings, settings_from
from pos_adapter.types import (
    ExchangeKey,
    Money,
    PaymentRequest,
    PaymentResponse,
    TerminalStatus,
)

NUMBERS = itertools.count()
PIN = "2580"


@pytest.fixture(scope="module")
def wanted() -> dict[str, object]:
    """Sections of the settings that a file of tests needs otherwise; a file overrides this fixture."""
    return {}


@pytest.fixture(scope="module")
def shop(
    weights: dict[str, object], wanted: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    sections: dict[str, object] = {
        "data": str(tmp_path_factory.mktemp("shop")),
        "recognition": weights,
        "policy": {"quick_repeat_s": 0.0, "payments_before_factor": 100},
        "capture": {"deadline_s": 3.0},
        "enrolment": {"deadline_s": 5.0},
        # Which payments are asked for more is drawn by chance; a test is left to none.
        "liveness": {"spot_checks": 0.0},
    }
    return settings_from(sections | wanted)


@pytest.fixture(scope="module")
def theatre(shop: Settings) -> Iterator[Theatre]:
    with Theatre(shop) as theatre:
        yield theatre


@pytest.fixture(scope="module")
def people(theatre: Theatre) -> list[Person]:
    found = find_people(default_photos(), theatre.terminal.engine.detector)
    return [person for person in found if theatre.rehearse(person)]


@pytest.fixture(scope="module")
def payer(theatre: Theatre, people: list[Person]) -> Cast:
    cast, _ = theatre.enrol(people[0], PIN)
    return cast


@pytest.fixture(autouse=True)
def calm(theatre: Theatre) -> None:
    theatre.stage.plug_in()
    theatre.shopper.manners = Manners(pin=PIN)


def request(minor: int = 310, exchange: str = "") -> PaymentRequest:
    key = ExchangeKey("test", "T1", "till", exchange or f"sale-{next(NUMBERS)}")
    return PaymentRequest(key, Money(minor, "EUR"))


def pay_at(checkout: Checkout, asked: PaymentRequest, *, acknowledge: bool = True) -> PaymentResponse:
    """Pay as a till does: it acknowledges what was approved."""
    response = checkout.pay(asked, lambda step: None)
    if acknowledge and response.transaction and response.outcome.is_approval:
        checkout.acknowledge(response.transaction, learned=True)
    return response


def pay(
    theatre: Theatre, asked: PaymentRequest | None = None, *, acknowledge: bool = True
) -> PaymentResponse:
    return pay_at(theatre.terminal.checkout, asked or request(), acknowledge=acknowledge)


def wait_for(theatre: Theatre, phase: Phase) -> None:
    deadline = time.monotonic() + 20
    while theatre.terminal.counter.view.phase is not phase:
        assert time.monotonic() < deadline, f"never reached {phase}"
        time.sleep(0.005)


def wait_until_free(theatre: Theatre) -> None:
    """A sale that was answered early still winds down."""
    deadline = time.monotonic() + 20
    while theatre.terminal.checkout.status() is TerminalStatus.BUSY:
        assert time.monotonic() < deadline, "the sale never ended"
        time.sleep(0.005)


def start(theatre: Theatre, asked: PaymentRequest) -> tuple[threading.Thread, list[PaymentResponse]]:
    answers: list[PaymentResponse] = []
    thread = threading.Thread(target=lambda: answers.append(pay(theatre, asked)))
    thread.start()
    return thread, answers
