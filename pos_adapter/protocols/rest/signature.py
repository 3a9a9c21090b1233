"""Signed webhooks after the Standard Webhooks scheme, version 1: sign here, verify in the till.

The signature is the base64 of HMAC-SHA256 over `id.timestamp.body`; secrets are written
`whsec_<base64>`. A till must check it, refuse old timestamps, and ignore an id it has seen.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from pos_adapter.errors import BadRequest, Unauthenticated

PREFIX = "whsec_"
TOLERANCE_S = 300


def secret_bytes(secret: str) -> bytes:
    """The key in a `whsec_` secret of 24 to 64 bytes; raises BadRequest."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("a webhook secret is whsec_ and base64") from error
    if not 24 <= len(key) <= 64:
        raise BadRequest("a webhook secret holds 24 to 64 bytes")
    return key


def sign(secret: str, identifier: str, timestamp: int, body: bytes) -> str:
    """The value of the header `webhook-signature`."""
    signed = f"{identifier}.{timestamp}.".encode() + body
    digest = hmac.new(secret_bytes(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode("ascii")


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now: float) -> str:
    """The event's id when signature and time hold; raises Unauthenticated with one text for all causes."""
    identifier, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    timestamp = int(stamp) if stamp.isascii() and stamp.isdigit() and len(stamp) < 15 else 0
    expected = sign(secret, identifier, timestamp, body)
    given = headers.get("webhook-signature", "").split(" ")
    matches = [hmac.compare_digest(expected.encode(), text.encode()) for text in given]
    if not identifier or not any(matches) or abs(now - timestamp) > TOLERANCE_S:
        raise Unauthenticated("the webhook is not genuine")
    return identifier
