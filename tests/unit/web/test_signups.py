"""Sign-ups: what is asked before the camera opens, and that nothing is left when somebody stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from facepay.capture import StageTimes
from facepay.enrolment import ConsentText, Enrolled, EnrolmentRequest, load_consent
from facepay.enrolment.enrolment import Watching
from facepay.errors import AttackSuspected, FailureToAcquire, LookAlike
from facepay.gallery import EnrolledSubject
from facepay.types import SubjectId, TemplateMode
from facepay.web import WebDeps, create_app
from facepay.web.problems import PageError
from facepay.web.signups import MOST, Signups, Step, sentence_of
from hardware.camera_browser import BrowserCamera
from hardware.errors import CameraGone

HEADERS = {"Origin": "http://localhost", "Accept": "text/html"}


class Waiting:
    """A room whose captures end, without anybody being enrolled, when `release` is set."""

    page_camera = True
    modes: tuple[TemplateMode, ...] = (TemplateMode.GALLERY,)

    def __init__(self) -> None:
        self.release = threading.Event()
        self.requests: list[EnrolmentRequest] = []

    def consent(self, language: str) -> ConsentText:
        return load_consent("2026-11", language)

    def enrol(self, request: EnrolmentRequest, camera: BrowserCamera | None, watching: Watching) -> Enrolled:
        self.requests.append(request)
        self.release.wait(5)
        raise FailureToAcquire("nobody came")


@pytest.fixture
def room() -> Iterator[Waiting]:
    made = Waiting()
    yield made
    made.release.set()


@pytest.fixture
def shopper(deps: WebDeps, room: Waiting) -> FlaskClient:
    return create_app(replace(deps, enrolment=room)).test_client()


def send(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    return client.post(path, data=fields, headers=HEADERS)


def agree(client: FlaskClient, room: Waiting, **changes: str) -> TestResponse:
    fields = {"agree": "yes", "consent": room.consent("en").sha256, "language": "en"} | changes
    return send(client, "/enrol/agree", **fields)


def test_the_consent_text_and_its_version_are_on_the_page(shopper: FlaskClient) -> None:
    page = shopper.get("/enrol/?lang=de").get_data(as_text=True)
    assert "Fassung 2026-11" in page


@pytest.mark.parametrize("changes", [{"agree": ""}, {"consent": "0" * 64}, {"language": "fr"}])
def test_without_agreement_to_this_very_text_there_is_no_sign_up(
    shopper: FlaskClient, room: Waiting, changes: dict[str, str]
) -> None:
    assert agree(shopper, room, **changes).status_code == 400
    assert shopper.get("/enrol/code").status_code == 410


@pytest.mark.parametrize(
    ("code", "again", "phone"),
    [
        ("28", "28", ""),
        ("284a", "284a", ""),
        ("2846", "2864", ""),
        ("1111", "1111", ""),
        ("2846", "2846", "12"),
    ],
)
def test_a_bad_code_is_named_and_asked_for_again(
    shopper: FlaskClient, room: Waiting, code: str, again: str, phone: str
) -> None:
    agree(shopper, room)
    answer = send(shopper, "/enrol/code", code=code, again=again, phone=phone)
    assert answer.status_code == 400
    page = answer.get_data(as_text=True)
    assert 'role="alert"' in page
    assert f'"{code}"' not in page


def test_the_camera_is_not_asked_for_before_the_review(shopper: FlaskClient, room: Waiting) -> None:
    agree(shopper, room)
    assert send(shopper, "/enrol/capture").status_code == 409
    assert room.requests == []


def test_a_capture_carries_consent_and_code_and_a_failure_can_be_tried_again(
    shopper: FlaskClient, room: Waiting
) -> None:
    agree(shopper, room)
    send(shopper, "/enrol/code", code="2846", again="2846", phone="")
    assert send(shopper, "/enrol/capture").status_code == 200
    assert shopper.get("/enrol/state").get_json()["step"] == "capturing"
    room.release.set()
    while shopper.get("/enrol/state").get_json()["step"] == "capturing":
        pass
    state = shopper.get("/enrol/state").get_json()
    assert state["step"] == "named"
    assert "too long" in state["failed"]
    assert room.requests[0].pin == "2846"
    assert room.requests[0].consent.version == "2026-11"


def test_stopping_leaves_nothing(shopper: FlaskClient, room: Waiting) -> None:
    agree(shopper, room)
    assert "Nothing was kept" in send(shopper, "/enrol/stop").get_data(as_text=True)
    assert shopper.get("/enrol/code").status_code == 410


def test_one_capture_at_a_time_and_a_bounded_number_of_sign_ups(room: Waiting) -> None:
    signups = Signups(room, "Corner shop", "EUR")
    first, second = signups.open("en"), signups.open("en")
    for signup in (first, second):
        signup.pin, signup.step = "2846", Step.NAMED
    signups.capture(first)
    with pytest.raises(PageError, match="Somebody else"):
        signups.capture(second)
    for _ in range(MOST - 2):
        signups.open("en")
    with pytest.raises(PageError, match="Too many"):
        signups.open("en")


def test_a_sign_up_expires(room: Waiting) -> None:
    now = [0.0]
    signups = Signups(room, "Corner shop", "EUR", now_s=lambda: now[0])
    token = signups.open("en").token
    now[0] = 901.0
    with pytest.raises(PageError, match="expired"):
        signups.require(token)


def test_who_looks_like_whom_or_like_an_attack_is_not_said() -> None:
    assert sentence_of(LookAlike("x")) == sentence_of(AttackSuspected("x")) == "capture-failed"
    assert sentence_of(CameraGone("x")) == "capture-broken"


def test_where_the_template_is_kept_is_asked_where_there_is_a_choice(
    shopper: FlaskClient, room: Waiting
) -> None:
    agree(shopper, room)
    assert 'name="template"' not in shopper.get("/enrol/code").get_data(as_text=True)
    room.modes = (TemplateMode.CAPSULE, TemplateMode.GALLERY)
    assert 'value="capsule"' in shopper.get("/enrol/code").get_data(as_text=True)
    send(shopper, "/enrol/code", code="2846", again="2846", phone="", template="gallery")
    send(shopper, "/enrol/capture")
    assert [request.mode for request in room.requests] == [TemplateMode.GALLERY]


@pytest.mark.parametrize("template", ["keyed", "elsewhere"])
def test_a_mode_that_the_shop_does_not_offer_is_refused(
    shopper: FlaskClient, room: Waiting, template: str
) -> None:
    agree(shopper, room)
    answer = send(shopper, "/enrol/code", code="2846", again="2846", phone="", template=template)
    assert answer.status_code == 400


def test_the_shoppers_own_code_is_shown_once_and_in_no_cache(deps: WebDeps) -> None:
    room = Handing()
    shopper = create_app(replace(deps, enrolment=room)).test_client()
    agree(shopper, room)
    send(shopper, "/enrol/code", code="2846", again="2846", phone="")
    send(shopper, "/enrol/capture")
    assert room.done.wait(5)
    deadline = time.monotonic() + 5
    while (page := shopper.get("/enrol/done")).status_code == 409 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "data-own-code" in page.get_data(as_text=True)
    assert page.headers["Cache-Control"] == "no-store"
    send(shopper, "/enrol/finish")
    assert shopper.get("/enrol/done").status_code == 410


class Handing(Waiting):
    """A room that enrols at once and hands over a code."""

    modes = (TemplateMode.CAPSULE,)

    def __init__(self) -> None:
        super().__init__()
        self.done = threading.Event()

    def enrol(self, request: EnrolmentRequest, camera: BrowserCamera | None, watching: Watching) -> Enrolled:
        subject = EnrolledSubject(SubjectId("ab" * 16), "fp1", 1, "browser", "page", 1, mode=request.mode)
        self.done.set()
        return Enrolled(subject, 3, 0, StageTimes(), "FACEPAY:BB8:")
