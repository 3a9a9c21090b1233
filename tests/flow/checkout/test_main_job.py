"""The main job on real models: people of insightface's own sample photo before a simulated camera."""

from __future__ import annotations

import dataclasses

from facepay.counter import Phase
from facepay.demo.people import Person
from facepay.demo.props import looped, on_a_phone
from facepay.demo.shopper import Manners
from facepay.demo.theatre import Cast, Theatre
from facepay.journal import State
from facepay.receipts import verify_authorised
from facepay.receipts.trust import trusted_by
from facepay.settings import Settings
from hardware.base import SteppedClock
from pos_adapter.protocols.concert.messages import Result
from pos_adapter.types import (
    Money,
    Outcome,
    Settlement,
)
from tests.flow.checkout.conftest import PIN, pay, request, start, wait_for


def test_a_payer_pays_over_http_and_the_money_is_captured(theatre: Theatre, payer: Cast) -> None:
    theatre.stage.show(payer.person.photo)
    document = theatre.pay(420).document
    assert (document["status"], document["settlement"]) == ("approved", "captured")
    assert document["account"] == f"...{payer.account[-2:]}"
    said = verify_authorised(str(document["statement"]), trusted_by(theatre.terminal.keys))
    assert (said.money, said.payee) == (Money(420, "EUR"), theatre.terminal.settings.terminal.payee)


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


def test_whoever_wants_no_light_types_the_code_instead(theatre: Theatre, payer: Cast) -> None:
    theatre.shopper.manners = Manners(pin=PIN, light=False)
    theatre.stage.show(payer.person.photo)
    assert pay(theatre, request(1240)).outcome is Outcome.APPROVED
    assert "factor" in theatre.shopper.seen
    assert "challenge" not in theatre.shopper.seen


def test_a_stranger_is_sent_to_the_card(theatre: Theatre, payer: Cast, people: list[Person]) -> None:
    theatre.stage.show(people[2].photo)
    assert pay(theatre).outcome is Outcome.NO_MATCH
    assert theatre.last_reason() == "NoMatch"


def test_a_phone_that_shows_a_payer_is_refused(theatre: Theatre, payer: Cast) -> None:
    theatre.stage.show(on_a_phone(payer.person.photo))
    assert not pay(theatre).outcome.is_approval
    # The small networks of the pack in the wheel may lose the face on the phone, and then say so.
    assert theatre.last_reason() in {"AttackSuspected", "FailureToAcquire"}


def test_an_injected_loop_is_refused(theatre: Theatre, payer: Cast) -> None:
    theatre.stage.play(looped(payer.person.photo, 7))
    assert not pay(theatre).outcome.is_approval
    assert theatre.last_reason() == "AttackSuspected"


def test_the_camera_stays_closed_until_the_shopper_taps(theatre: Theatre, payer: Cast) -> None:
    theatre.shopper.manners = Manners(taps=False)
    asked = request()
    thread, answers = start(theatre, asked)
    wait_for(theatre, Phase.OFFERED)
    assert not theatre.stage.is_open
    theatre.terminal.checkout.cancel(asked.key)
    thread.join(5)
    assert answers[0].outcome is Outcome.CASHIER_ABORT


def test_a_second_sale_is_told_busy(theatre: Theatre, payer: Cast) -> None:
    theatre.shopper.manners = Manners(taps=False)
    asked = request()
    thread, _ = start(theatre, asked)
    wait_for(theatre, Phase.OFFERED)
    assert pay(theatre).outcome is Outcome.BUSY
    theatre.terminal.checkout.cancel(asked.key)
    thread.join(5)


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
    cast, _ = theatre.enrol(people[-1], PIN)
    theatre.withdraw(cast)
    theatre.stage.show(cast.person.photo)
    assert pay(theatre).outcome is Outcome.NO_MATCH


def test_another_currency_is_refused_before_anything_starts(theatre: Theatre) -> None:
    asked = dataclasses.replace(request(), amount=Money(500, "CHF"))
    assert not pay(theatre, asked).outcome.is_approval
    assert not theatre.stage.is_open


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
