"""A real counter behind the pages, and a browser's headers in front of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from facepay.counter import Counter, Phase, SaleView
from facepay.web import Good, Shop, WebDeps, create_app

ORIGIN = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
JSON = {**ORIGIN, "Accept": "application/json"}
OFFER = SaleView(
    Phase.OFFERED, sale="s1", payee="Corner shop", amount="12.40 EUR", amount_minor=1240, currency="EUR"
)


@dataclass
class Album:
    """Keeps the pictures that a page sent; stands where a terminal has its browser camera."""

    pictures: list[bytes] = field(default_factory=list)

    def push(self, picture: bytes, captured_ms: float, sent_ms: float, sequence: int) -> None:
        self.pictures.append(picture)


@pytest.fixture
def counter() -> Iterator[Counter]:
    made = Counter()
    yield made
    made.close()


@pytest.fixture
def album() -> Album:
    return Album()


@pytest.fixture
def deps(counter: Counter, album: Album) -> WebDeps:
    shop = Shop("Corner shop", "T1", goods=(Good("Bread", 320),))
    return WebDeps(shop, counter, b"secret of these tests", streams=2, frames=album)


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
