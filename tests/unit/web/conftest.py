"""A real counter behind the pages, and a browser's headers in front of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from facepay.counter import Counter, Phase, SaleView
from facepay.web import Good, Shop, WebDeps, create_app
from hardware.camera_browser import BrowserCamera

ORIGIN = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
JSON = {**ORIGIN, "Accept": "application/json"}
OFFER = SaleView(
    Phase.OFFERED, sale="s1", payee="Corner shop", amount="12.40 EUR", amount_minor=1240, currency="EUR"
)


@pytest.fixture
def counter() -> Iterator[Counter]:
    made = Counter()
    yield made
    made.close()


@pytest.fixture
def camera() -> Iterator[BrowserCamera]:
    """The terminal's side of a page's camera, as it is during a capture."""
    with BrowserCamera() as opened:
        yield opened


@pytest.fixture
def deps(counter: Counter, camera: BrowserCamera) -> WebDeps:
    shop = Shop("Corner shop", "T1", goods=(Good("Bread", 320),))
    return WebDeps(shop, counter, b"secret of these tests", streams=2, frames=camera)


@pytest.fixture
def app(deps: WebDeps) -> Flask:
    return create_app(deps)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def offer(counter: Counter) -> Callable[..., None]:
    """Puts a sale on the counter that takes answers; keywords change its view."""

    def put(**changes: object) -> None:
        counter.open("s1")
        counter.show(replace(OFFER, **changes))  # type: ignore[arg-type]

    return put


@pytest.fixture
def post(client: FlaskClient) -> Callable[..., TestResponse]:
    """Posts as a script of this terminal's own page does."""

    def send(path: str, **more: object) -> TestResponse:
        headers = {**JSON, **more.pop("headers", {})}  # type: ignore[dict-item]
        return client.post(path, headers=headers, **more)  # type: ignore[arg-type]

    return send
