"""Errors as people and programs read them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from facepay.errors import Busy, ReferenceUnreadable
from hardware.errors import CameraGone, FrameRateExceeded


def test_a_person_gets_a_page_with_a_way_back(client: FlaskClient) -> None:
    answer = client.get("/nowhere", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert 'href="/"' in answer.get_data(as_text=True)


def test_a_program_gets_a_problem_document(client: FlaskClient) -> None:
    answer = client.get("/nowhere", headers={"Accept": "application/json"})
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json() == {
        "type": "urn:facepay:problem:absent",
        "title": "There is nothing at this address",
        "status": 404,
        "detail": answer.get_json()["detail"],
    }


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Busy("another sale"), 409),
        (CameraGone("/dev/video0"), 409),
        (FrameRateExceeded("too fast"), 429),
        (ReferenceUnreadable("reference 12"), 503),
        (RuntimeError("what nobody foresaw in /srv/secret"), 500),
    ],
)
def test_an_error_of_the_house_is_answered_without_its_secrets(
    app: Flask, error: Exception, status: int
) -> None:
    def fail() -> str:
        raise error

    app.add_url_rule("/fail", view_func=fail)
    answer = app.test_client().get("/fail", headers={"Accept": "application/json"})
    assert answer.status_code == status
    assert "secret" not in answer.get_data(as_text=True)
    assert "reference 12" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 8000, "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"amount_minor": "12,40"}', "application/json", 400),
        (b'{"amount_minor": 12.4}', "application/json", 400),
        (b'{"amount_minor": true}', "application/json", 400),
        (b'{"amount_minor": 0}', "application/json", 400),
        (b'{"amount_minor": -5}', "application/json", 400),
        (b'{"amount_minor": 100000000}', "application/json", 400),
        (b'{"amount_minor": 5, "reference": "\\u0007"}', "application/json", 400),
        (b'{"amount_minor": 5, "reference": 5}', "application/json", 400),
        (b"amount_minor=twelve", "application/x-www-form-urlencoded", 400),
        (b"<amount/>", "application/xml", 415),
        (b" " * 20_000, "application/json", 413),
        (b"a=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
    ],
)
def test_a_malformed_or_oversized_request_is_refused_by_name(
    post: Callable[..., TestResponse], body: bytes, kind: str, status: int
) -> None:
    answer = post("/till/start", data=body, content_type=kind)
    assert answer.status_code == status
    assert answer.get_json()["detail"]


def test_a_body_of_unknown_length_is_refused(post: Callable[..., TestResponse]) -> None:
    answer = post("/kiosk/cancel", headers={"Transfer-Encoding": "chunked"})
    assert answer.status_code == 411


TAKES_WHATEVER = {"/till/card", "/kiosk/card", "/kiosk/cancel", "/till/cancel"}
"""Ways out of a sale: a body that says nothing is no reason to refuse them."""


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"[1]", "application/json"),
        (b"\x00\xff" * 500, "image/jpeg"),
        (b"x" * 3_000_000, "application/json"),
        (b"", "application/octet-stream"),
    ],
)
def test_no_route_breaks_on_a_malformed_or_oversized_body(
    app: Flask, post: Callable[..., TestResponse], body: bytes, kind: str
) -> None:
    rules = [str(rule) for rule in app.url_map.iter_rules() if "POST" in (rule.methods or set())]
    assert len(rules) > 10
    for path in rules:
        answer = post(path, data=body, content_type=kind)
        assert answer.status_code < 500, path
        if path not in TAKES_WHATEVER:
            assert answer.status_code >= 400, path
            assert answer.get_json()["detail"], path
