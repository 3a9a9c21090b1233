"""Cards on file, entered on the provider's own page, and the provider's events."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from facepay.psp.base import PspUncertain, WebhookRefused
from facepay.web import WebDeps, create_app
from facepay.web.cards import CardForm, CardsUnavailable
from facepay.web.words import LANGUAGES
from tests.unit.web.test_account import FORM, OneAccount, enter

PAGE = "https://checkout.stripe.com/c/pay/cs_1"


class Desk:
    """A provider with one page; `entered` is what the shopper did there."""

    def __init__(self) -> None:
        self.entered = self.silent = False
        self.done = self.kept = ""

    def card(self, account: str) -> str:
        self._speak()
        return self.kept

    def begin(self, account: str, done: str) -> CardForm:
        self._speak()
        self.done = done
        return CardForm(PAGE, "data:image/svg+xml,x")

    def finish(self, account: str) -> bool:
        self._speak()
        if self.entered:
            self.kept = "visa …4242"
        return self.entered

    def remove(self, account: str) -> None:
        self._speak()
        self.kept, self.entered = "", False

    def _speak(self) -> None:
        if self.silent:
            raise CardsUnavailable("no answer")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def shopper(deps: WebDeps, desk: Desk) -> FlaskClient:
    client = create_app(replace(deps, accounts=OneAccount(), cards=desk)).test_client()
    enter(client)
    return client


def post(client: FlaskClient, what: str) -> tuple[int, str]:
    answer = client.post(f"/account/card/{what}", headers=FORM)
    return answer.status_code, answer.get_data(as_text=True)


def test_a_card_is_entered_on_the_providers_page_and_then_on_file(shopper: FlaskClient, desk: Desk) -> None:
    assert "no card on file" in shopper.get("/account/card/").get_data(as_text=True)
    _, page = post(shopper, "begin")
    assert f'href="{PAGE}"' in page
    assert "<script" not in page.replace('<script type="module" src="/static/', "")
    assert "Stripe has no card yet" in post(shopper, "finish")[1]
    desk.entered = True
    assert "visa …4242" in post(shopper, "finish")[1]
    assert "removed" in post(shopper, "remove")[1]


def test_the_provider_leads_back_to_where_a_phone_can_reach_the_pages(deps: WebDeps, desk: Desk) -> None:
    named = replace(deps, accounts=OneAccount(), cards=desk, names=("pay.shop.example",))
    client = create_app(named).test_client()
    enter(client)
    post(client, "begin")
    assert desk.done.startswith("https://pay.shop.example/account/card/done")
    assert client.get("/account/card/done").status_code == 200


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_the_card_page_speaks_every_language(shopper: FlaskClient, language: str) -> None:
    assert f'lang="{language}"' in shopper.get(f"/account/card/?lang={language}").get_data(as_text=True)


def test_a_silent_provider_is_said_to_be_silent(shopper: FlaskClient, desk: Desk) -> None:
    desk.silent = True
    assert [post(shopper, what)[0] for what in ("begin", "finish", "remove")] == [503, 503, 503]


def test_nobody_has_cards_without_entering(deps: WebDeps, desk: Desk) -> None:
    stranger = create_app(replace(deps, accounts=OneAccount(), cards=desk)).test_client()
    assert stranger.get("/account/card/").status_code == 403
    assert post(stranger, "begin")[0] == 403


class Events:
    """Takes events with the right signature."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.silent = False

    def take(self, body: bytes, signature: str) -> None:
        if signature != "good":
            raise WebhookRefused("the webhook's signature is wrong")
        if self.silent:
            raise PspUncertain("no answer")
        self.taken.append(body)


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def provider(deps: WebDeps, events: Events) -> FlaskClient:
    return create_app(replace(deps, webhooks=events)).test_client()


def tell(client: FlaskClient, signature: str, body: bytes = b"{}") -> int:
    headers = {"Stripe-Signature": signature, "Accept": "application/json"}
    return client.post("/webhooks/stripe", data=body, headers=headers).status_code


def test_an_event_needs_no_page_but_its_signature(provider: FlaskClient, events: Events) -> None:
    assert tell(provider, "good", b"event") == 200
    assert tell(provider, "forged") == 400
    assert tell(provider, "") == 400
    assert events.taken == [b"event"]


def test_an_event_nobody_could_look_into_is_to_be_sent_again(provider: FlaskClient, events: Events) -> None:
    events.silent = True
    assert tell(provider, "good") == 503


def test_an_event_is_bounded_and_other_pages_stay_guarded(provider: FlaskClient) -> None:
    assert tell(provider, "good", b"x" * 300_000) == 413
    assert provider.post("/till/start", data={}).status_code == 403


def test_without_a_secret_no_event_is_taken(deps: WebDeps) -> None:
    assert tell(create_app(deps).test_client(), "good") == 403
