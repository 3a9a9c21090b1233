"""A card on file from the account page to the charge, and Stripe's events about it, at the emulator."""

from __future__ import annotations

import hmac
import json
import uuid
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import Engine

from facepay.accounts import Accounts
from facepay.journal import Journal, Opening, State
from facepay.psp.base import PspUncertain, WebhookRefused
from facepay.psp.stripe.provider import StripeProvider
from facepay.settlement import Patience, Settlement
from facepay.terminal.cards import AccountCards, StripeEvents
from keys import MemoryKeyStore
from pos_adapter.types import Money, TransactionId

GOOD, OTHER = "4242424242424242", "5555555555554444"
DONE = "https://pay.shop.example/account/card/done"
SECRET, NOW = b"whsec_test", 1_763_812_800


class Shop:
    """One account, its cards, and the money side behind Stripe's events."""

    def __init__(self, engine: Engine, line: Any) -> None:
        self.line = line
        self.account = f"fp-{uuid.uuid4().hex[:12]}"
        names = {"terminal": "T1", "merchant": "shop"}
        self.accounts = Accounts(engine, MemoryKeyStore(), now_ms=lambda: NOW * 1000, **names)
        self.accounts.enrol(self.account, None)
        self.cards = AccountCards(line.cards, self.accounts)
        self.journal = Journal(engine, chain="T1", now_ms=lambda: NOW * 1000)
        provider: StripeProvider = line.provider
        self.settlement = Settlement(
            self.journal, provider, provider, wait=lambda _: None, patience=Patience(tries=1)
        )
        self.events = StripeEvents(SECRET, self.cards, self.settlement, now_s=lambda: NOW)

    def enter(self, number: str) -> None:
        entry = self.cards.begin(self.account, DONE)
        self.line.enter(entry, number)

    def tell(self, kind: str, metadata: dict[str, str], at_s: int = NOW, secret: bytes = SECRET) -> None:
        thing = {"id": "obj_1", "metadata": metadata}
        body = json.dumps({"id": "evt_1", "type": kind, "data": {"object": thing}}).encode()
        mac = hmac.new(secret, f"{at_s}.".encode() + body, sha256).hexdigest()
        self.events.take(body, f"t={at_s},v1={mac}")


@pytest.fixture
def shop(engine: Engine, line: Any) -> Shop:
    return Shop(engine, line)


def test_a_card_is_on_file_once_it_was_entered_and_pays(shop: Shop) -> None:
    assert shop.cards.card(shop.account) == ""
    shop.cards.begin(shop.account, DONE)
    assert not shop.cards.finish(shop.account)
    shop.enter(GOOD)
    assert shop.cards.finish(shop.account)
    assert not shop.cards.finish(shop.account)
    assert shop.cards.card(shop.account) == "visa …4242"
    payment, amount = TransactionId("p1"), Money(1240, "EUR")
    shop.journal.begin(Opening(payment, f"rest/T1/till/{shop.account}", "f", amount))
    payer = shop.accounts.payer(shop.account)
    shop.settlement.authorise(
        payment, payer, amount, payee="shop", terminal="T1", identified={}, wanted=lambda: True
    )
    assert shop.settlement.acknowledge(payment, learned=True).state is State.CAPTURED


def test_a_new_card_takes_the_place_of_the_former_one(shop: Shop) -> None:
    shop.enter(GOOD)
    shop.cards.finish(shop.account)
    before = shop.accounts.payer(shop.account).split("/")[1]
    shop.enter(OTHER)
    shop.cards.finish(shop.account)
    assert shop.cards.card(shop.account).endswith("4444")
    assert shop.line.client.v1.payment_methods.retrieve(before).customer is None
    shop.cards.remove(shop.account)
    assert shop.cards.card(shop.account) == ""


def test_an_event_puts_the_card_on_file_once_however_often_it_comes(shop: Shop) -> None:
    shop.enter(GOOD)
    for _ in range(2):
        shop.tell("checkout.session.completed", {"facepay_account": shop.account})
    assert shop.cards.card(shop.account) == "visa …4242"


def test_an_event_about_a_card_that_was_not_entered_books_nothing(shop: Shop) -> None:
    shop.cards.begin(shop.account, DONE)
    shop.tell("setup_intent.succeeded", {"facepay_account": shop.account})
    assert shop.cards.card(shop.account) == ""


@pytest.mark.parametrize(("at_s", "secret"), [(NOW - 301, SECRET), (NOW, b"other")])
def test_a_webhook_with_an_old_or_a_wrong_signature_is_not_looked_into(
    shop: Shop, at_s: int, secret: bytes
) -> None:
    shop.enter(GOOD)
    with pytest.raises(WebhookRefused):
        shop.tell("checkout.session.completed", {"facepay_account": shop.account}, at_s, secret)
    assert shop.cards.card(shop.account) == ""


def test_an_event_about_an_order_finishes_what_was_decided(shop: Shop) -> None:
    shop.enter(GOOD)
    shop.cards.finish(shop.account)
    payment, amount = TransactionId(f"p-{shop.account}"), Money(1240, "EUR")
    shop.journal.begin(Opening(payment, f"rest/T1/till/{payment}", "f", amount))
    payer = shop.accounts.payer(shop.account)
    shop.settlement.authorise(
        payment, payer, amount, payee="shop", terminal="T1", identified={}, wanted=lambda: True
    )
    shop.line.fates.append(("/capture", "answer"))
    assert shop.settlement.acknowledge(payment, learned=True).state is State.CONFIRMED
    for _ in range(2):
        shop.tell("charge.captured", {"facepay_key": "fp-any"})
    entry = shop.journal.find(payment)
    assert entry is not None
    assert entry.state is State.CAPTURED


def test_stripe_out_of_reach_is_no_card_lost(shop: Shop) -> None:
    shop.line.fates.append(("/sessions", "answer"))
    with pytest.raises(PspUncertain):
        shop.cards.begin(shop.account, DONE)
    shop.enter(GOOD)
    assert shop.cards.finish(shop.account)
