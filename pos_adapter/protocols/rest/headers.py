"""What a till says beside the body: its API key, the idempotency key, its patience, the media type."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from pos_adapter.http_messages import HttpRequest
from pos_adapter.protocols.rest.options import ApiKey

LONGEST_WAIT_S = 60.0


def find_key(request: HttpRequest, keys: Sequence[ApiKey]) -> ApiKey | None:
    """The key of the till that asks; None when it shows none that is known."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    offered = given.strip().encode("utf-8", "surrogateescape")
    # Every key is compared, so that the time taken tells nothing.
    same = [key for key in keys if hmac.compare_digest(key.secret.encode(), offered)]
    return same[0] if same and scheme.lower() == "bearer" else None


def find_exchange(request: HttpRequest, till: str, use: str) -> str | None:
    """An id made from till, use and idempotency key, the same after a restart; None without the header."""
    given = request.headers.get("idempotency-key", "").strip().strip('"')
    if not 1 <= len(given) <= 128 or not given.isascii() or not given.isprintable():
        return None
    digest = hashlib.sha256("\0".join((till, use, given)).encode()).digest()
    return base64.urlsafe_b64encode(digest[:15]).decode("ascii")


def wait_of(request: HttpRequest) -> float:
    """Seconds from `Prefer: wait=<n>` (RFC 7240), at most a minute."""
    for preference in request.headers.get("prefer", "").split(","):
        name, _, value = preference.strip().partition("=")
        if name.lower() == "wait" and value.isascii() and value.isdigit() and len(value) < 6:
            return min(float(value), LONGEST_WAIT_S)
    return 0.0


def is_json(request: HttpRequest) -> bool:
    """Whether the body says that it is JSON."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return kind == "application/json"
