"""What every request and response of the pages must satisfy."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

CHANGES = [
    "/till/start", "/till/card", "/till/cancel", "/till/learned",
    "/kiosk/tap", "/kiosk/confirm", "/kiosk/digits", "/kiosk/card", "/kiosk/cancel", "/kiosk/frames",
    "/kiosk/shown", "/kiosk/show-code", "/kiosk/code",
]  # fmt: skip
PAGES = ["/", "/till/", "/kiosk/"]


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_change_from_another_page_is_refused(
    client: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    assert client.post(path, headers=headers).status_code == 403


def test_every_route_that_changes_something_is_in_the_list_above(app: Flask) -> None:
    posting = {str(rule) for rule in app.url_map.iter_rules() if "POST" in (rule.methods or set())}
    assert {path for path in posting if path.split("/")[1] in {"till", "kiosk"}} == set(CHANGES)


def test_no_route_that_only_reads_takes_a_post(post: Callable[..., TestResponse]) -> None:
    answer = post("/till/state")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("path", PAGES)
def test_pages_load_nothing_from_elsewhere_and_run_no_inline_script(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    page = answer.get_data(as_text=True)
    assert "<style" not in page
    assert " style=" not in page
    assert "<script>" not in page
    assert "//" not in page.replace("<!doctype", "").replace("http://www.w3.org", "")


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_never_cached(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "no-store"


def test_only_kiosk_and_enrolment_may_ask_for_a_camera(client: FlaskClient) -> None:
    assert "camera=(self)" in client.get("/kiosk/").headers["Permissions-Policy"]
    assert "camera=()" in client.get("/till/").headers["Permissions-Policy"]


def test_an_unknown_host_name_is_refused(client: FlaskClient) -> None:
    assert client.get("/till/", headers={"Host": "rebound.example"}).status_code == 400
