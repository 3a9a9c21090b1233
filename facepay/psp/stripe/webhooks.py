"""Reads Stripe's webhooks: signature and age first, the body only afterwards.

An event is a hint to look, never a fact to book: whoever gets one asks the provider by the order's key. So an
event that comes twice, late or out of order changes nothing.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from facepay.psp.base import IdempotencyKey, WebhookRefused
from facepay.psp.stripe.cards import ACCOUNT

TOLERANCE_S = 300
"""How old a signature may be; Stripe's own default."""
LARGEST = 256 * 1024


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """What an event is about: `key` is our order's or refund's, `account` one of ours; None: not ours."""

    event: str
    kind: str
    reference: str
    key: IdempotencyKey | None
    account: str | None = None


def read_webhook(
    body: bytes, header: str, secret: bytes, *, now_s: Callable[[], int], tolerance_s: int = TOLERANCE_S
) -> StripeEvent:
    """Check and read one webhook.

    Args:
        header: The `Stripe-Signature` header: `t=<time>,v1=<hex hmac>[,v1=...]`.
        secret: The endpoint's signing secret.

    Raises:
        WebhookRefused: Wrong, missing or old signature, or a body that is no event.
    """
    if len(body) > LARGEST:
        raise WebhookRefused("the webhook is too large")
    _require_signature(body, header, secret, now_s(), tolerance_s)
    try:
        event = json.loads(body)
        thing = event["data"]["object"]
        metadata = thing.get("metadata") or {}
        key, account = metadata.get("facepay_key"), metadata.get(ACCOUNT)
        return StripeEvent(
            str(event["id"]),
            str(event["type"]),
            str(thing["id"]),
            IdempotencyKey(str(key)) if key else None,
            str(account) if account else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WebhookRefused("the webhook's body is no event") from error


def _require_signature(body: bytes, header: str, secret: bytes, now_s: int, tolerance_s: int) -> None:
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not times[0].isascii() or not times[0].isdigit() or not given:
        raise WebhookRefused("the webhook has no signature")
    expected = hmac.new(secret, times[0].encode() + b"." + body, sha256).hexdigest()
    if not any(hmac.compare_digest(expected.encode(), one.encode()) for one in given):
        raise WebhookRefused("the webhook's signature is wrong")
    if abs(now_s - int(times[0])) > tolerance_s:
        raise WebhookRefused("the webhook's signature is too old, or this terminal's clock is wrong")
