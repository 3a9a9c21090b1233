"""A terminal that could not be built still has a till page with a card key, and says what is wrong."""

from __future__ import annotations

import pytest
from flask import Flask

from facepay.settings import Settings
from facepay.web import create_app
from facepay.web.rooms import deps_out_of_order


@pytest.fixture
def app() -> Flask:
    return create_app(deps_out_of_order(Settings()))


def test_the_till_says_out_of_order_and_takes_the_card_in_one_key(client, post) -> None:  # type: ignore[no-untyped-def]
    assert "out of order" in client.get("/till/").get_data(as_text=True)
    assert post("/till/card").status_code == 200
    refused = post("/till/start", json={"amount_minor": 1240})
    assert refused.status_code == 503
    assert "Take the card" in refused.get_json()["detail"]


def test_the_kiosk_sends_the_shopper_to_the_card_and_asks_for_no_camera(client) -> None:  # type: ignore[no-untyped-def]
    state = client.get("/kiosk/state").get_json()
    assert state["text"] == "Paying by face is out of order. Please pay by card."
    assert 'data-camera="device"' in client.get("/kiosk/").get_data(as_text=True)


def test_health_is_dead_and_names_what_to_type(client) -> None:  # type: ignore[no-untyped-def]
    answer = client.get("/health")
    assert answer.status_code == 503
    assert "facepay doctor" in answer.get_json()["parts"][0]["advice"]
