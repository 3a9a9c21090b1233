"""Stripe's own ways: lost answers, step-ups, cards on file, webhooks."""

from __future__ import annotations

import hmac
import json
import uuid
from hashlib import sha256
from typing import Any

import pytest

from facepay.psp.base import (
    Answer,
    IdempotencyKey,
    Order,
    PayerToken,
    PspMisconfigured,
    PspUncertain,
    PspUnreachable,
    Reason,
    RefundOrder,
    Stage,
    WebhookRefused,
)
from facepay.psp.stripe import StripeAccount, StripeProvider, open_client, read_webhook
from facepay.psp.stripe.cards import CardNotReady
from pos_adapter.types import Money

DONE = "https://pay.shop.example/account/card/done"
GOOD, STEP_UP = "4242424242424242", "4000002500003155"
EUR_1240 = Money(1240, "EUR")
SECRET, NOW = b"whsec_test", 1_763_812_800


def order(line: Any, card: str = GOOD) -> Order:
    key = IdempotencyKey(f"stripe-test-{uuid.uuid4().hex}")
    return Order(key, PayerToken(line.card(card)), EUR_1240, "Corner shop", "T1", "rest/T1/till/1")


def charges(line: Any, asked: Order) -> int:
    customer = asked.payer.split("/")[0]
    return len(list(line.client.v1.charges.list({"customer": customer})))


@pytest.mark.parametrize("fate", ["answer", "nonsense", "request"])
def test_a_lost_answer_is_found_again_with_one_charge(line: Any, fate: str) -> None:
    asked = order(line)
    line.fates.append(("/payment_intents", fate))
    with pytest.raises(PspUncertain):
        line.provider.authorise(asked)
    found = line.provider.find(asked)
    assert (found.answer, found.stage) == (Answer.APPROVED, Stage.HELD)
    assert charges(line, asked) == 1


@pytest.mark.parametrize("effect", ["/capture", "/cancel"])
def test_a_lost_capture_or_void_is_done_once(line: Any, effect: str) -> None:
    asked = order(line)
    line.provider.authorise(asked)
    line.fates.append((effect, "answer"))
    act = line.provider.void if effect == "/cancel" else lambda o: line.provider.capture(o, EUR_1240)
    with pytest.raises(PspUncertain):
        act(asked)
    assert act(asked).answer is Answer.APPROVED
    assert charges(line, asked) == 1


def test_a_lost_refund_is_made_once(line: Any) -> None:
    asked = order(line)
    line.provider.authorise(asked)
    line.provider.capture(asked, EUR_1240)
    refund = RefundOrder(IdempotencyKey(f"refund-{uuid.uuid4().hex}"), asked, Money(500, "EUR"))
    line.fates.append(("/refunds", "answer"))
    with pytest.raises(PspUncertain):
        line.provider.refund(refund)
    assert line.provider.refund(refund).answer is Answer.APPROVED
    intent = line.provider.find(asked).reference
    assert len(list(line.client.v1.refunds.list({"payment_intent": intent}))) == 1


def test_a_step_up_is_cancelled_and_falls_back_to_card(line: Any) -> None:
    asked = order(line, STEP_UP)
    answer = line.provider.authorise(asked)
    assert (answer.answer, answer.reason) == (Answer.DECLINED, Reason.STEP_UP_REQUIRED)
    assert line.client.v1.payment_intents.retrieve(answer.reference).status == "canceled"
    assert charges(line, asked) == 0


def test_a_card_entry_that_was_not_finished_puts_nothing_on_file(line: Any) -> None:
    entry = line.cards.begin(f"account-{uuid.uuid4().hex}", DONE)
    assert entry.address.startswith("https://checkout.stripe.com/")
    assert entry.address not in repr(entry)
    with pytest.raises(CardNotReady, match="not on file yet"):
        line.cards.finish(entry.session)
    with pytest.raises(CardNotReady, match="does not know"):
        line.cards.finish("cs_gone")


def test_a_card_on_file_is_named_by_its_last_digits_and_can_be_taken_off(line: Any) -> None:
    payer = PayerToken(line.card(GOOD))
    assert line.cards.describe(payer) == "visa …4242"
    for _ in range(2):
        line.cards.remove(payer)
    assert line.client.v1.payment_methods.retrieve(payer.split("/")[1]).customer is None


def test_a_shopper_without_a_card_on_file_is_declined_before_anything_is_sent(line: Any) -> None:
    asked = Order(IdempotencyKey("stripe-test-shape"), PayerToken("anna"), EUR_1240, "p", "T1", "r")
    line.fates.append(("/payment_intents", "request"))
    answer = line.provider.authorise(asked)
    assert (answer.answer, answer.reason) == (Answer.DECLINED, Reason.NO_ACCOUNT)
    assert line.fates


def test_a_card_gone_from_the_account_is_declined(line: Any) -> None:
    payer = PayerToken("cus_gone/pm_gone")
    asked = Order(IdempotencyKey(f"stripe-test-{uuid.uuid4().hex}"), payer, EUR_1240, "p", "T1", "r")
    assert line.provider.authorise(asked).reason is Reason.NO_ACCOUNT


def test_nobody_listening_is_certainly_not_charged(line: Any) -> None:
    client = open_client(StripeAccount("sk_test_1", address="http://127.0.0.1:9", timeout_s=1))
    with pytest.raises(PspUnreachable) as caught:
        StripeProvider(client, line.book).authorise(order(line))
    assert caught.value.certain


def test_a_secret_key_is_not_shown_and_a_wrong_one_is_the_operators(line: Any, emulator: Any) -> None:
    account = StripeAccount("wrong-key", address=f"http://{emulator[0]}:{emulator[1]}")
    assert "wrong-key" not in repr(account)
    with pytest.raises(PspMisconfigured, match=r"psp\.secret"):
        StripeProvider(open_client(account), line.book).authorise(order(line))


BODY = json.dumps(
    {
        "id": "evt_1",
        "type": "payment_intent.canceled",
        "data": {"object": {"id": "pi_1", "metadata": {"facepay_key": "fp-p1-0123"}}},
    }
).encode()


def signed(body: bytes, at_s: int = NOW, secret: bytes = SECRET) -> str:
    mac = hmac.new(secret, f"{at_s}.".encode() + body, sha256).hexdigest()
    return f"t={at_s},v1={mac}"


def test_a_signed_webhook_names_our_order() -> None:
    event = read_webhook(BODY, signed(BODY), SECRET, now_s=lambda: NOW)
    assert (event.kind, event.key) == ("payment_intent.canceled", "fp-p1-0123")


def test_the_official_client_agrees_on_the_signature() -> None:
    import time

    import stripe

    header = signed(BODY, int(time.time()))
    assert stripe.WebhookSignature.verify_header(BODY, header, SECRET.decode(), 300)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "no signature"),
        ("t=,v1=", "no signature"),
        ("v1=abc", "no signature"),
        (f"t={NOW},v1={'0' * 64}", "wrong"),
        (signed(BODY + b" "), "wrong"),
        (signed(BODY, secret=b"other"), "wrong"),
        (f"t={NOW},v1=ä", "wrong"),
        (signed(BODY, NOW - 301), "too old"),
        (signed(BODY, NOW + 301), "too old"),
        (signed(BODY).replace(str(NOW), str(NOW + 1)), "wrong"),
    ],
)
def test_a_webhook_with_a_wrong_or_old_signature_is_refused(header: str, reason: str) -> None:
    with pytest.raises(WebhookRefused, match=reason):
        read_webhook(BODY, header, SECRET, now_s=lambda: NOW)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id":1,"type":2,"data":{"object":3}}', b"\xff"])
def test_a_signed_webhook_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRefused, match="no event"):
        read_webhook(body, signed(body), SECRET, now_s=lambda: NOW)
