"""Payments with a template in the shopper's own hands, on real models: capsule and keyed, 1:1."""

from __future__ import annotations

import dataclasses
import gc

import cv2
import numpy as np
import pytest

from facepay.checkout.code_reader import find_holder_code
from facepay.counter import Phase
from facepay.demo.people import Person
from facepay.demo.shopper import Manners
from facepay.demo.stage import HEIGHT, WIDTH
from facepay.demo.theatre import Cast, Theatre
from facepay.enrolment import code_png
from facepay.errors import SettingsError
from facepay.settings import Settings
from facepay.types import Pixels, TemplateMode
from hardware.motion_simulation import HandHeldStill
from pos_adapter.types import Outcome, PaymentResponse
from tests.flow.checkout.conftest import PIN, pay, request, start, wait_for

HELD = [TemplateMode.CAPSULE, TemplateMode.KEYED]


@pytest.fixture(scope="module")
def wanted() -> dict[str, object]:
    # The stage's clock does not wait for the shopper's thread, so the shopper gets as long as can be set.
    patience = {"tap_s": 300.0, "factor_s": 300.0, "confirm_s": 300.0}
    return {"templates": {"modes": ["gallery", "capsule", "keyed"]}, "checkout": patience}


Holder = tuple[Cast, str]


@pytest.fixture(scope="module")
def holders(theatre: Theatre, people: list[Person]) -> dict[TemplateMode, Holder]:
    made = {}
    for person, mode in zip(people, HELD, strict=False):
        cast, enrolled = theatre.enrol(person, PIN, mode)
        made[mode] = cast, enrolled.code
    return made


@pytest.fixture(autouse=True)
def unlocked(theatre: Theatre) -> None:
    # Refusals are what most of these tests are about; together they would lock the terminal.
    theatre.terminal.accounts.note_success("nobody")


def pay_with(theatre: Theatre, person: Person, code: str, pin: str = PIN) -> PaymentResponse:
    theatre.shopper.manners = Manners(pin=pin, code=code)
    theatre.stage.show(person.photo)
    return pay(theatre)


def pay_at_the_camera(
    theatre: Theatre, person: Person, code: str, manners: Manners | None = None
) -> PaymentResponse:
    """Hold the code before the camera until it is read, and then one's face."""
    theatre.shopper.manners = manners or Manners(pin=PIN, shows_code=True)
    shown, face = on_a_screen(code), HandHeldStill(person.photo, (WIDTH, HEIGHT), 1)
    counter = theatre.terminal.counter

    def scene() -> Pixels:
        return shown if counter.view.phase in {Phase.OFFERED, Phase.CODE} else face.frame()

    theatre.stage.play(scene)
    return pay(theatre)


@pytest.mark.parametrize("mode", HELD)
def test_a_code_and_its_holders_face_pay(
    theatre: Theatre, holders: dict[TemplateMode, Holder], mode: TemplateMode
) -> None:
    cast, code = holders[mode]
    before = theatre.terminal.gallery.references()
    response = pay_with(theatre, cast.person, code)
    assert response.outcome is Outcome.APPROVED, theatre.last_reason()
    facts = theatre.terminal.history.newest(1)[0].facts
    assert (facts["template"], facts["account"]) == (mode.value, cast.account)
    assert theatre.terminal.gallery.references() == before


@pytest.mark.parametrize("mode", HELD)
def test_the_holders_face_alone_finds_nobody(
    theatre: Theatre, holders: dict[TemplateMode, Holder], mode: TemplateMode
) -> None:
    cast, _ = holders[mode]
    theatre.shopper.manners = Manners(pin=PIN)
    theatre.stage.show(cast.person.photo)
    assert pay(theatre).outcome is Outcome.NO_MATCH
    assert theatre.last_reason() == "NoMatch"


@pytest.mark.parametrize("mode", HELD)
def test_somebody_elses_face_does_not_pay_with_a_found_code(
    theatre: Theatre, holders: dict[TemplateMode, Holder], people: list[Person], mode: TemplateMode
) -> None:
    assert pay_with(theatre, people[2], holders[mode][1]).outcome is Outcome.NO_MATCH
    assert theatre.last_reason() == "NotTheHolder"


def test_a_wrong_pin_opens_no_keyed_template(theatre: Theatre, holders: dict[TemplateMode, Holder]) -> None:
    cast, code = holders[TemplateMode.KEYED]
    assert pay_with(theatre, cast.person, code, pin="1357").outcome is Outcome.NO_MATCH
    assert theatre.last_reason() == "FactorFailed"


@pytest.mark.parametrize("text", ["FACEPAY:", "FACEPAY:BB8:", "https://example.org", "FACEPAY:" + "A" * 2000])
def test_what_is_no_code_is_refused(theatre: Theatre, holders: dict[TemplateMode, Holder], text: str) -> None:
    cast, _ = holders[TemplateMode.CAPSULE]
    assert pay_with(theatre, cast.person, text).outcome is Outcome.NO_MATCH
    assert theatre.last_reason() == "CodeRefused"


def test_the_camera_reads_the_code_and_then_looks_at_the_face(
    theatre: Theatre, holders: dict[TemplateMode, Holder]
) -> None:
    cast, code = holders[TemplateMode.CAPSULE]
    assert pay_at_the_camera(theatre, cast.person, code).outcome is Outcome.APPROVED, theatre.last_reason()
    # No scanner was given the code, so that the camera alone can have read it.
    facts = theatre.terminal.history.newest(1)[0].facts
    assert (facts["template"], facts["account"]) == (TemplateMode.CAPSULE.value, cast.account)


def test_the_card_ends_the_wait_for_a_code(theatre: Theatre) -> None:
    theatre.shopper.manners = Manners(shows_code=True)
    theatre.stage.clear()
    thread, answers = start(theatre, request())
    wait_for(theatre, Phase.CODE)
    theatre.terminal.counter.choose_card()
    thread.join(60)
    assert answers[0].outcome is Outcome.SHOPPER_CHOSE_CARD


@pytest.mark.parametrize("mode", HELD)
def test_a_withdrawn_code_is_dead_in_everybodys_pocket(
    theatre: Theatre, people: list[Person], mode: TemplateMode
) -> None:
    cast, enrolled = theatre.enrol(people[-1], PIN, mode)
    assert pay_with(theatre, cast.person, enrolled.code).outcome is Outcome.APPROVED, theatre.last_reason()
    theatre.withdraw(cast)
    assert pay_with(theatre, cast.person, enrolled.code).outcome is Outcome.NO_MATCH
    assert theatre.last_reason() == "CodeRefused"


def test_a_code_survives_a_restart_and_a_rotation(
    theatre: Theatre, holders: dict[TemplateMode, Holder]
) -> None:
    from facepay.gallery.rotation import Rotation

    done = Rotation(theatre.terminal.database, theatre.terminal.keys).rotate()
    assert (done.moved, done.unreadable) == (len(holders), ())
    theatre.restart()
    for cast, code in holders.values():
        assert pay_with(theatre, cast.person, code).outcome is Outcome.APPROVED, theatre.last_reason()


def test_neither_template_nor_code_is_kept(
    theatre: Theatre, holders: dict[TemplateMode, Holder], shop: Settings
) -> None:
    gc.collect()
    files = b"".join(path.read_bytes() for path in shop.data.iterdir() if path.is_file())
    for cast, code in holders.values():
        face = theatre.terminal.engine.assess(cast.person.photo).face
        assert face is not None
        plain = theatre.terminal.engine.extract([face])[0]
        for piece in (plain.astype("<f2").tobytes()[:64], code.encode()[20:60]):
            assert piece not in files


def test_a_shop_that_offers_no_gallery_searches_for_nobody(
    theatre: Theatre, people: list[Person], shop: Settings
) -> None:
    modes = dataclasses.replace(shop.templates, modes=(TemplateMode.CAPSULE,))
    other = dataclasses.replace(shop, templates=modes, data=shop.data.parent / f"{shop.data.name}-held")
    other.data.mkdir()
    with Theatre(other) as held:
        with pytest.raises(SettingsError, match=r"templates\.modes"):
            held.enrol(people[0], PIN)
        cast, enrolled = held.enrol(people[0], PIN, TemplateMode.CAPSULE)
        paid = pay_at_the_camera(held, cast.person, enrolled.code, manners=Manners(pin=PIN))
        assert paid.outcome is Outcome.APPROVED, held.last_reason()
        # A tap can only mean the code here, and it was the camera that read it.
        assert held.terminal.history.newest(1)[0].facts["template"] == TemplateMode.CAPSULE.value


def test_another_shop_takes_no_code_of_this_one(
    theatre: Theatre, holders: dict[TemplateMode, Holder], shop: Settings
) -> None:
    other = dataclasses.replace(shop, data=shop.data.parent / f"{shop.data.name}-other")
    other.data.mkdir()
    with Theatre(other) as elsewhere:
        for cast, code in holders.values():
            assert pay_with(elsewhere, cast.person, code).outcome is Outcome.NO_MATCH
            assert elsewhere.last_reason() == "CodeRefused"


def on_a_screen(code: str) -> np.ndarray:
    drawn = cv2.imdecode(np.frombuffer(code_png(code), np.uint8), cv2.IMREAD_COLOR)
    side = int(0.95 * HEIGHT)
    frame = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    top, left = (HEIGHT - side) // 2, (WIDTH - side) // 2
    frame[top : top + side, left : left + side] = cv2.resize(
        drawn, (side, side), interpolation=cv2.INTER_AREA
    )
    return frame


def test_the_reader_passes_over_other_codes_and_empty_frames() -> None:
    assert find_holder_code(np.full((HEIGHT, WIDTH, 3), 90, np.uint8)) is None
    import segno

    assert segno.make_qr("https://example.org") is not None
    assert find_holder_code(on_a_screen("https://example.org")) is None
