"""The main job on real models: people of insightface's own sample photo before a simulated camera."""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from facepay.counter import Phase
from facepay.demo.people import Person, default_photos, find_people, pair_of
from facepay.demo.props import looped, on_a_phone
from facepay.demo.shopper import Manners, Shopper
from facepay.demo.stage import HEIGHT, WIDTH
from facepay.demo.theatre import Cast, Theatre
from facepay.errors import ModelMismatch, ReferenceUnreadable
from facepay.journal import State
from facepay.psp.base import Authorisation, Order
from facepay.settings import Settings, settings_from
from facepay.terminal import open_terminal
from hardware.base import SteppedClock
from hardware.camera_opencv import OpenCvCamera
from hardware.errors import CameraNotFound
from hardware.motion_simulation import HandHeldStill
from hardware.v4l2 import VideoDevice
from pos_adapter.protocols.concert.messages import Result
from pos_adapter.types import (
    ExchangeKey,
    Money,
    Outcome,
    PaymentRequest,
    PaymentResponse,
    Settlement,
    TerminalStatus,
)

pytestmark = pytest.mark.models
NUMBERS = itertools.count()
PIN = "2580"


@pytest.fixture(scope="module")
def shop(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_from(
        {
            "data": str(tmp_path_factory.mktemp("shop")),
            "recognition": {"models": [str(models_dir)], "pack": "commerce"},
            "policy": {"quick_repeat_s": 0.0, "payments_before_factor": 100},
            "capture": {"deadline_s": 3.0},
            "enrolment": {"deadline_s": 5.0},
        }
    )


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


def pay(
    theatre: Theatre, asked: PaymentRequest | None = None, *, acknowledge: bool = True
) -> PaymentResponse:
    checkout = theatre.terminal.checkout
    response = checkout.pay(asked or request(), lambda step: None)
    if acknowledge and response.transaction and response.outcome.is_approval:
        checkout.acknowledge(response.transaction, learned=True)
    return response


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


def test_a_payer_pays_over_http_and_the_money_is_captured(theatre: Theatre, payer: Cast) -> None:
    theatre.stage.show(payer.person.photo)
    document = theatre.pay(420).document
    assert (document["status"], document["settlement"]) == ("approved", "captured")
    assert document["account"] == f"...{payer.account[-2:]}"


def test_a_payer_pays_over_the_serial_line(theatre: Theatre, payer: Cast) -> None:
    theatre.stage.show(payer.person.photo)
    assert theatre.pay_by_serial(250) is Result.OK


def test_the_first_payment_takes_the_code_and_a_wrong_code_does_not_pay(
    theatre: Theatre, people: list[Person]
) -> None:
    cast, _ = theatre.enrol(people[1], "4711")
    theatre.shopper.manners = Manners(pin="9999")
    theatre.stage.show(cast.person.photo)
    assert pay(theatre).outcome is Outcome.NO_MATCH
    assert theatre.last_reason() in {"FactorFailed", "PinWrong", "LimitExceeded"}


def test_a_stranger_is_sent_to_the_card(theatre: Theatre, payer: Cast, people: list[Person]) -> None:
    theatre.stage.show(people[2].photo)
    assert pay(theatre).outcome is Outcome.NO_MATCH
    assert theatre.last_reason() == "NoMatch"


def test_a_phone_that_shows_a_payer_is_refused(theatre: Theatre, payer: Cast) -> None:
    theatre.stage.show(on_a_phone(payer.person.photo))
    assert not pay(theatre).outcome.is_approval
    assert theatre.last_reason() == "AttackSuspected"


def test_an_injected_loop_is_refused(theatre: Theatre, payer: Cast) -> None:
    theatre.stage.play(looped(payer.person.photo, 7))
    assert not pay(theatre).outcome.is_approval
    assert theatre.last_reason() == "AttackSuspected"


def test_two_people_are_asked_for_one(theatre: Theatre, payer: Cast) -> None:
    pair = pair_of(default_photos(), theatre.terminal.engine.detector)
    assert pair is not None
    theatre.stage.show(pair)
    assert not pay(theatre).outcome.is_approval
    assert "one_person" in theatre.shopper.seen


def test_the_camera_stays_closed_until_the_shopper_taps(theatre: Theatre, payer: Cast) -> None:
    theatre.shopper.manners = Manners(taps=False)
    asked = request()
    thread, answers = start(theatre, asked)
    wait_for(theatre, Phase.OFFERED)
    assert not theatre.stage.is_open
    theatre.terminal.checkout.cancel(asked.key)
    thread.join(5)
    assert answers[0].outcome is Outcome.CASHIER_ABORT


@contextmanager
def silent_provider(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The provider does not answer before the event that is given is set."""
    provider, speak = theatre.terminal.money.provider, threading.Event()
    authorise = provider.authorise

    def authorise_late(order: Order) -> Authorisation:
        speak.wait(20)
        return authorise(order)

    with monkeypatch.context() as patched:
        patched.setattr(provider, "authorise", authorise_late)
        try:
            yield speak
        finally:
            speak.set()


def at(theatre: Theatre, payer: Cast, phase: Phase) -> tuple[PaymentRequest, threading.Thread, list]:  # type: ignore[type-arg]
    """A sale of the payer that stands at `phase` and stays there."""
    theatre.shopper.manners = Manners(
        pin="" if phase is Phase.FACTOR else PIN,
        taps=phase is not Phase.OFFERED,
        confirms=phase is Phase.AUTHORISING,
        types=phase is not Phase.FACTOR,
    )
    if phase in {Phase.CAPTURING, Phase.CHALLENGE}:
        theatre.stage.clear()
    else:
        theatre.stage.show(payer.person.photo)
    asked = request(1240 if phase in {Phase.FACTOR, Phase.CHALLENGE} else 310)
    thread, answers = start(theatre, asked)
    wait_for(theatre, phase)
    return asked, thread, answers


ENDS = {
    "cancel": (Outcome.CASHIER_ABORT, Phase.CANCELLED),
    "card": (Outcome.SHOPPER_CHOSE_CARD, Phase.CARD),
}


@pytest.mark.parametrize("key", ENDS)
@pytest.mark.parametrize(
    "phase",
    [Phase.OFFERED, Phase.CAPTURING, Phase.FACTOR, Phase.CONFIRM, Phase.AUTHORISING],
)
def test_cancel_and_card_are_answered_at_every_moment_and_charge_nothing(
    theatre: Theatre, payer: Cast, phase: Phase, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = theatre.terminal.wallet.balance(payer.account)  # type: ignore[arg-type]
    with silent_provider(theatre, monkeypatch) as speak:
        asked, thread, answers = at(theatre, payer, phase)
        if key == "cancel":
            theatre.terminal.checkout.cancel(asked.key)
        else:
            theatre.terminal.counter.choose_card()
        thread.join(5)
        # The answer is there although the provider has said nothing yet: how long it takes is measured
        # by benchmarks/cancel, a test machine that does other things as well cannot tell.
        assert not speak.is_set()
        assert [answer.outcome for answer in answers] == [ENDS[key][0]]
        assert theatre.terminal.counter.view.phase is ENDS[key][1]
    wait_until_free(theatre)
    assert theatre.terminal.wallet.balance(payer.account) == before  # type: ignore[arg-type]
    assert not theatre.terminal.journal.open_entries()


def test_a_second_sale_is_told_busy(theatre: Theatre, payer: Cast) -> None:
    theatre.shopper.manners = Manners(taps=False)
    asked = request()
    thread, _ = start(theatre, asked)
    wait_for(theatre, Phase.OFFERED)
    assert pay(theatre).outcome is Outcome.BUSY
    theatre.terminal.checkout.cancel(asked.key)
    thread.join(5)


def test_a_camera_unplugged_in_the_middle_ends_the_sale_and_not_the_terminal(
    theatre: Theatre, payer: Cast
) -> None:
    theatre.stage.clear()
    thread, answers = start(theatre, request())
    wait_for(theatre, Phase.CAPTURING)
    theatre.stage.unplug()
    thread.join(10)
    assert answers[0].outcome is Outcome.DEVICE_DEAD
    theatre.stage.plug_in()
    theatre.stage.show(payer.person.photo)
    assert pay(theatre).outcome is Outcome.APPROVED


def test_a_frozen_camera_is_a_broken_device_or_an_attack_and_never_pays(
    theatre: Theatre, payer: Cast
) -> None:
    frame = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    theatre.stage.play(frame.copy)
    assert pay(theatre).outcome in {Outcome.DEVICE_DEAD, Outcome.NO_MATCH}


def test_a_black_picture_asks_for_more_light(theatre: Theatre, payer: Cast) -> None:
    random = np.random.default_rng(0)
    theatre.stage.play(lambda: random.integers(0, 8, (HEIGHT, WIDTH, 3), dtype=np.uint8))
    assert not pay(theatre).outcome.is_approval
    assert "more_light" in theatre.shopper.seen


def test_the_card_works_in_one_key_before_and_during_the_capture(theatre: Theatre, payer: Cast) -> None:
    theatre.stage.clear()
    thread, answers = start(theatre, request())
    wait_for(theatre, Phase.CAPTURING)
    theatre.terminal.counter.choose_card()
    thread.join(5)
    assert answers[0].outcome is Outcome.SHOPPER_CHOSE_CARD


def test_a_repeated_key_is_answered_from_the_record_and_charges_once(theatre: Theatre, payer: Cast) -> None:
    theatre.stage.show(payer.person.photo)
    asked = request(exchange="once")
    first = pay(theatre, asked)
    again = pay(theatre, asked)
    assert first.outcome is Outcome.APPROVED
    assert again.transaction == first.transaction
    changed = dataclasses.replace(asked, amount=Money(999, "EUR"))
    assert pay(theatre, changed).outcome is Outcome.BAD_REQUEST


def test_an_approval_nobody_acknowledged_is_voided_on_the_way_up(theatre: Theatre, payer: Cast) -> None:
    theatre.stage.show(payer.person.photo)
    asked = request()
    before = theatre.terminal.wallet.balance(payer.account)  # type: ignore[arg-type]
    assert pay(theatre, asked, acknowledge=False).outcome is Outcome.APPROVED
    theatre.restart()
    record = theatre.terminal.checkout.find(asked.key)
    assert record is not None
    assert record.settlement is Settlement.VOIDED
    assert theatre.terminal.wallet.balance(payer.account) == before  # type: ignore[arg-type]
    assert not theatre.terminal.journal.open_entries()


def test_whoever_withdrew_no_longer_pays(theatre: Theatre, people: list[Person]) -> None:
    cast, _ = theatre.enrol(people[3], PIN)
    theatre.withdraw(cast)
    theatre.stage.show(cast.person.photo)
    assert pay(theatre).outcome is Outcome.NO_MATCH


def test_another_currency_is_refused_before_anything_starts(theatre: Theatre) -> None:
    asked = dataclasses.replace(request(), amount=Money(500, "CHF"))
    assert not pay(theatre, asked).outcome.is_approval
    assert not theatre.stage.is_open


def test_models_of_another_pack_are_named(theatre: Theatre, payer: Cast, shop: Settings) -> None:
    other = dataclasses.replace(shop, recognition=dataclasses.replace(shop.recognition, pack="research"))
    with pytest.raises(ModelMismatch, match="choose the former pack"), open_terminal(other, theatre.stage):
        pass


def test_another_key_store_opens_no_reference(theatre: Theatre, payer: Cast, shop: Settings) -> None:
    other = dataclasses.replace(shop, keys=dataclasses.replace(shop.keys, uri="memory:"))
    with pytest.raises(ReferenceUnreadable, match="key store"), open_terminal(other, theatre.stage):
        pass


def test_frames_are_marked_as_replayed_in_the_journal_and_at_the_counter(
    theatre: Theatre, payer: Cast
) -> None:
    theatre.stage.show(payer.person.photo)
    pay(theatre)
    newest = theatre.terminal.history.newest(1)[0]
    assert newest.facts["origin"] == "replay"
    assert theatre.terminal.counter.view.simulated


def test_no_plain_template_reaches_the_disk(theatre: Theatre, people: list[Person], shop: Settings) -> None:
    references = theatre.terminal.gallery.references()
    assert references > 0
    face = theatre.terminal.engine.assess(people[0].photo).face
    assert face is not None
    plain = theatre.terminal.engine.extract([face])[0]
    files = b"".join(path.read_bytes() for path in shop.data.iterdir() if path.is_file())
    for dtype in ("<f2", "<f4"):
        assert plain.astype(dtype).tobytes()[:64] not in files


def test_ledger_and_journal_agree_after_all_of_this(theatre: Theatre, payer: Cast) -> None:
    theatre.restart()
    theatre.terminal.wallet.require_books_balance()
    taken = sum(
        e.amount.minor
        for e in theatre.terminal.history.newest()
        if e.state is State.CAPTURED and e.account == payer.account
    )
    balance = theatre.terminal.wallet.balance(payer.account)  # type: ignore[arg-type]
    assert 5_000 - balance.minor == taken


def test_the_stage_keeps_its_own_time() -> None:
    clock = SteppedClock(5)
    clock.sleep(1.0)
    assert clock.now_ns() == 1_000_000_005


def test_without_a_camera_every_sale_goes_to_the_card_until_it_is_plugged_in(
    shop: Settings, payer: Cast, tmp_path: Path
) -> None:
    node = tmp_path / "video0"
    still = HandHeldStill(payer.person.photo, (WIDTH, HEIGHT), 3)

    def describe(source: str) -> VideoDevice:
        if not node.exists():
            raise CameraNotFound(f"no camera at {source}")
        return VideoDevice(node, "uvcvideo", "Test camera", "SN1", "0c45:6366", "1-1", False)

    camera = OpenCvCamera("0", describe=describe, opener=lambda _node, _options: Still(still))
    with open_terminal(shop, camera) as terminal, Shopper(terminal.counter) as shopper:
        shopper.manners = Manners(pin=PIN)
        assert terminal.checkout.status() is TerminalStatus.OUT_OF_ORDER
        refused = terminal.checkout.pay(request(), lambda step: None)
        assert refused.outcome is Outcome.DEVICE_DEAD
        assert "card" in refused.message
        # Nobody was asked to look into a camera that is not there.
        assert terminal.counter.view.phase is Phase.DECLINED
        assert Phase.OFFERED.value not in shopper.seen
        node.touch()
        assert terminal.checkout.status() is TerminalStatus.READY
        answer = terminal.checkout.pay(request(), lambda step: None)
        assert Phase.CAPTURING.value in shopper.seen
        assert answer.outcome is not Outcome.DEVICE_DEAD


class Still:
    """A capture device that shows one photo in a hand."""

    def __init__(self, still: HandHeldStill) -> None:
        self._still = still

    def read(self) -> tuple[bool, np.ndarray]:  # type: ignore[type-arg]
        time.sleep(1 / 30)
        return True, self._still.frame()

    def release(self) -> None:
        pass
