"""A shopper's own account, and the pages that need a key."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from flask.testing import FlaskClient

from facepay.errors import FactorFailed, NotEnrolled
from facepay.qr import read_qr_codes
from facepay.web import WebDeps, create_app
from facepay.web.desks import Line, Overview

FORM = {"Origin": "http://localhost"}
WHEN = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


class OneAccount:
    """Keeps one account, until it is withdrawn."""

    def __init__(self) -> None:
        self.kept = True

    def enter(self, account: str, pin: str) -> None:
        if account != "fp1" or not self.kept:
            raise NotEnrolled("there is no such account")
        if pin != "2846":
            raise FactorFailed("wrong")

    def overview(self, account: str) -> Overview:
        paid = Line(WHEN, "state-captured", "9.40 EUR")
        return Overview(account, WHEN, "device", "90.60 EUR", (paid,), (Line(WHEN, "look-identified"),))

    def withdraw(self, account: str) -> str:
        self.kept = False
        return "head.body.signature"


@pytest.fixture
def shopper(deps: WebDeps) -> FlaskClient:
    return create_app(replace(deps, accounts=OneAccount())).test_client()


def enter(client: FlaskClient, account: str = "fp1", code: str = "2846") -> int:
    return client.post("/account/", data={"account": account, "code": code}, headers=FORM).status_code


def test_a_shopper_reads_what_is_kept(shopper: FlaskClient) -> None:
    assert enter(shopper) == 303
    page = shopper.get("/account/show").get_data(as_text=True)
    assert "9.40 EUR" in page
    assert "You were found by your face" in page
    assert "9,40 EUR" in shopper.get("/account/show?lang=de").get_data(as_text=True)


def test_a_wrong_code_and_a_wrong_account_have_the_same_answer(shopper: FlaskClient) -> None:
    answers = {
        shopper.post("/account/", data={"account": a, "code": c}, headers=FORM).get_data()
        for a, c in (("fp1", "0000"), ("fp2", "2846"), ("fp1", "28"), ("", ""))
    }
    assert len(answers) == 1
    assert shopper.get("/account/show").status_code == 403


def test_the_account_is_closed_by_leaving_and_by_coming_anew(shopper: FlaskClient) -> None:
    enter(shopper)
    shopper.post("/account/leave", headers=FORM)
    assert shopper.get("/account/show").status_code == 403
    enter(shopper)
    shopper.get("/account/")
    assert shopper.get("/account/show").status_code == 403


def test_withdrawing_asks_once_more_and_hands_over_the_receipt(shopper: FlaskClient) -> None:
    enter(shopper)
    asked = shopper.post("/account/withdraw", headers=FORM).get_data(as_text=True)
    assert "Yes, erase my face" in asked
    done = shopper.post("/account/withdraw", data={"sure": "yes"}, headers=FORM).get_data(as_text=True)
    assert "head.body.signature" in done
    assert 'download="facepay-receipt.txt" href="data:text/plain,head.body.signature"' in done
    drawn = b64decode(done.split('src="data:image/png;base64,')[1].split('"')[0])
    pixels = cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert read_qr_codes(np.asarray(pixels, np.uint8)) == ["head.body.signature"]
    assert enter(shopper) == 403


class Keyed:
    """Opens the till's pages with one key."""

    def accepts(self, role: str, key: str) -> bool:
        return (role, key) == ("till", "k3y")

    def requires_key(self, role: str) -> bool:
        return role == "till"


def test_a_page_with_a_key_opens_by_its_address_once_and_keeps_it_out_of_the_next(deps: WebDeps) -> None:
    client = create_app(replace(deps, access=Keyed())).test_client()
    assert client.get("/till/").status_code == 403
    assert client.get("/till/?key=wrong").status_code == 403
    opened = client.get("/till/?key=k3y")
    assert (opened.status_code, opened.headers["Location"]) == (303, "/till/")
    assert client.get("/till/").status_code == 200
    assert client.get("/kiosk/").status_code == 200
