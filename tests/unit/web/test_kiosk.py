"""The shopper's page: what it may answer when, and whose pictures are taken."""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from facepay.counter import Answer, Counter, Phase
from hardware.camera_browser import BrowserCamera
from hardware.errors import CameraTimeout

Post = Callable[..., TestResponse]


JPEG = cv2.imencode(".jpg", np.full((48, 64, 3), 128, np.uint8))[1].tobytes()


@pytest.fixture
def ticket(offer: Callable[..., None], post: Post) -> str:
    offer()
    taken: str = post("/kiosk/tap", json={"sale": "s1"}).get_json()["ticket"]
    return taken


def frame(post: Post, ticket: str, body: bytes = JPEG, kind: str = "image/jpeg") -> int:
    return post("/kiosk/frames", data=body, content_type=kind, headers={"X-Capture": ticket}).status_code


def test_the_page_names_payee_and_amount_before_anything_is_captured(
    offer: Callable[..., None], client: FlaskClient
) -> None:
    offer()
    page = client.get("/kiosk/").get_data(as_text=True)
    assert "12.40 EUR" in page
    assert "Corner shop" in page


def test_the_confirmation_names_amount_payee_and_masked_account(
    offer: Callable[..., None], client: FlaskClient
) -> None:
    offer(phase=Phase.CONFIRM, account="...42")
    assert client.get("/kiosk/state").get_json()["title"] == (
        "Pay 12.40 EUR to Corner shop with account ...42?"
    )


def test_a_tap_reaches_the_sale(offer: Callable[..., None], counter: Counter, post: Post) -> None:
    answers = counter.open("s1")
    counter.show(counter.view)
    offer()
    answers = counter.open("s1")
    assert post("/kiosk/tap", json={"sale": "s1"}).status_code == 200
    assert answers.wait(Answer.TAP, 0.1) == ""


def test_a_tap_may_ask_for_no_light(offer: Callable[..., None], counter: Counter, post: Post) -> None:
    offer()
    answers = counter.open("s1")
    assert post("/kiosk/tap", json={"sale": "s1", "light": False}).status_code == 200
    assert answers.has(Answer.TAP)
    assert answers.has(Answer.NO_LIGHT)


def test_a_tap_for_another_sale_is_refused(offer: Callable[..., None], post: Post) -> None:
    offer()
    assert post("/kiosk/tap", json={"sale": "s0"}).status_code == 409


def test_a_confirmation_before_the_question_is_refused(offer: Callable[..., None], post: Post) -> None:
    offer(phase=Phase.CAPTURING)
    assert post("/kiosk/confirm", json={"sale": "s1"}).status_code == 409


@pytest.mark.parametrize("typed", ["", "123", "12a4", "１２３４", "1" * 13, "12 34"])
def test_a_code_that_is_no_code_is_refused_and_not_repeated(
    offer: Callable[..., None], post: Post, typed: str
) -> None:
    offer(phase=Phase.FACTOR, factor="digits")
    answer = post("/kiosk/digits", json={"digits": typed})
    assert answer.status_code == 400
    assert not typed or typed not in answer.get_json()["detail"]


def test_a_code_reaches_the_sale(offer: Callable[..., None], counter: Counter, post: Post) -> None:
    offer(phase=Phase.FACTOR, factor="digits")
    answers = counter.open("s1")
    assert post("/kiosk/digits", json={"digits": "0427", "sale": "s1"}).status_code == 200
    assert answers.wait(Answer.DIGITS, 0.1) == "0427"


def test_the_card_can_be_chosen_at_every_moment(
    offer: Callable[..., None], counter: Counter, post: Post
) -> None:
    for phase in set(Phase) - {Phase.IDLE}:
        offer(phase=phase)
        answers = counter.open("s1")
        assert post("/kiosk/card", json={"sale": "s1"}).status_code == 200
        assert answers.ended


def test_a_plain_form_works_without_a_script(offer: Callable[..., None], client: FlaskClient) -> None:
    offer()
    answer = client.post("/kiosk/card", data={"sale": "s1"}, headers={"Origin": "http://localhost"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/kiosk/"


def test_pictures_of_the_page_that_tapped_are_taken(ticket: str, post: Post, camera: BrowserCamera) -> None:
    assert frame(post, ticket) == 204
    assert camera.read(0.1).pixels.shape == (48, 64, 3)


def test_pictures_of_another_page_are_refused(ticket: str, post: Post, camera: BrowserCamera) -> None:
    assert frame(post, "another") == 409
    assert frame(post, "") == 409
    with pytest.raises(CameraTimeout):
        camera.read(0.01)


def test_pictures_after_the_capture_are_refused(
    ticket: str, post: Post, offer: Callable[..., None], camera: BrowserCamera
) -> None:
    offer(phase=Phase.APPROVED)
    assert frame(post, ticket) == 409
    with pytest.raises(CameraTimeout):
        camera.read(0.01)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"body": b""}, 400),
        ({"body": b"GIF89a"}, 400),
        ({"kind": "image/png"}, 415),
        ({"body": b"\xff\xd8" + bytes(1024 * 1024)}, 413),
    ],
)
def test_what_is_no_picture_is_refused(
    ticket: str, post: Post, camera: BrowserCamera, change: dict[str, str], status: int
) -> None:
    assert frame(post, ticket, **change) == status  # type: ignore[arg-type]
    with pytest.raises(CameraTimeout):
        camera.read(0.01)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_every_moment_has_words_in_every_language(
    offer: Callable[..., None], client: FlaskClient, language: str
) -> None:
    for phase in Phase:
        offer(phase=phase, account="...42", factor="digits", hint="come_closer", prompt="smile")
        for page in ("/kiosk", "/till"):
            shown = client.get(f"{page}/state?lang={language}").get_json()
            assert shown["title"]
            assert "{" not in shown["title"] + shown["text"]


def test_the_moment_a_light_was_seen_reaches_the_sale(
    offer: Callable[..., None], counter: Counter, post: Post
) -> None:
    offer(phase=Phase.CHALLENGE)
    answers = counter.open("s1")
    before_ns = time.monotonic_ns()
    report = {"sale": "s1", "number": 3, "shown_ms": 500.0, "sent_ms": 530.5}
    assert post("/kiosk/shown", json=report).status_code == 200
    at_ns = answers.find_light(3)
    assert at_ns is not None
    assert before_ns - 31_000_000 < at_ns < time.monotonic_ns() - 30_000_000


@pytest.mark.parametrize(
    "wrong",
    [{"shown_ms": 600.0}, {"sent_ms": 99_999.0}, {"sent_ms": "now"}, {"number": -1}, {"number": 1.5}],
)
def test_an_impossible_report_of_a_light_is_refused(
    offer: Callable[..., None], post: Post, wrong: dict[str, object]
) -> None:
    offer(phase=Phase.CHALLENGE)
    report = {"number": 3, "shown_ms": 500.0, "sent_ms": 530.5} | wrong
    assert post("/kiosk/shown", json=report).status_code == 400


def test_a_picture_that_arrives_while_the_code_is_typed_does_not_end_the_capture(
    ticket: str, post: Post, offer: Callable[..., None]
) -> None:
    offer(phase=Phase.FACTOR, factor="pin")
    assert frame(post, ticket) == 204


def test_a_code_is_offered_only_where_the_shop_takes_it(
    offer: Callable[..., None], client: FlaskClient
) -> None:
    hidden = 'data-action="show-code" data-code-offered hidden'
    offer()
    assert hidden in client.get("/kiosk/").get_data(as_text=True)
    offer(code_offered=True, face_offered=False)
    page = client.get("/kiosk/").get_data(as_text=True)
    assert hidden not in page
    assert 'data-action="tap" data-face-offered hidden' in page


def test_a_scanned_code_begins_the_capture_and_gets_a_ticket(
    offer: Callable[..., None], counter: Counter, post: Post
) -> None:
    offer(code_offered=True)
    answers = counter.open("s1")
    taken = post("/kiosk/code", json={"sale": "s1", "code": "FACEPAY:BB8:"})
    assert frame(post, taken.get_json()["ticket"]) == 204
    assert answers.take(Answer.CODE) == "FACEPAY:BB8:"


def test_a_code_is_taken_while_it_is_asked_for_and_not_later(
    offer: Callable[..., None], counter: Counter, post: Post
) -> None:
    offer(phase=Phase.CODE)
    answers = counter.open("s1")
    assert "ticket" not in post("/kiosk/code", json={"sale": "s1", "code": "x"}).get_json()
    assert answers.has(Answer.CODE)
    offer(phase=Phase.CONFIRM)
    assert post("/kiosk/code", json={"sale": "s1", "code": "x"}).status_code == 409
    assert post("/kiosk/show-code", json={"sale": "s1"}).status_code == 409
    assert post("/kiosk/code", json={"sale": "s1", "code": "x" * 2000}).status_code == 400


def test_the_wish_to_show_a_code_opens_the_capture(
    offer: Callable[..., None], counter: Counter, post: Post
) -> None:
    offer(code_offered=True)
    answers = counter.open("s1")
    assert frame(post, post("/kiosk/show-code", json={"sale": "s1"}).get_json()["ticket"]) == 204
    assert answers.has(Answer.SHOW_CODE)


@pytest.mark.parametrize(("language", "amount"), [("en", "12.40 EUR"), ("de", "12,40 EUR")])
def test_the_amount_is_written_as_the_shopper_writes_it(
    client: FlaskClient, offer: Callable[..., None], language: str, amount: str
) -> None:
    offer(phase=Phase.CONFIRM, account="...7f")
    view = client.get(f"/kiosk/state?lang={language}").get_json()
    assert view["amount"] == amount
    assert amount in view["title"]
    assert amount in view["confirm_label"]


@pytest.mark.parametrize(("gesture", "text"), [(True, "Smile or tap to agree."), (False, "Tap to agree.")])
def test_a_smile_is_asked_for_only_while_it_counts(
    client: FlaskClient, offer: Callable[..., None], gesture: bool, text: str
) -> None:
    offer(phase=Phase.CONFIRM, gesture=gesture)
    view = client.get("/kiosk/state").get_json()
    assert view["text"] == text
    assert view["mood"] == ("smile" if gesture else "calm")
