"""Stripe's hosted page for entering a card, as far as an emulator without it needs: sessions in setup mode.

A session makes a setup intent at the emulator and leads to it; what the shopper does on Stripe's page, a
test does by confirming that intent.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode

PATH = "/v1/checkout/sessions"

Forward = Callable[[str, str, bytes], tuple[int, bytes]]
"""Sends method, path and body to the emulator; status and body of its answer."""


class HostedPages:
    """The sessions of one proxy."""

    def __init__(self) -> None:
        self._sessions: dict[str, dict[str, object]] = {}

    def answer(self, method: str, path: str, body: bytes, forward: Forward) -> tuple[int, bytes] | None:
        """The answer to a request about sessions; None for any other request."""
        if method == "POST" and path == PATH:
            return self._open(body, forward)
        if method == "GET" and path.startswith(f"{PATH}/"):
            return self._read(path.removeprefix(f"{PATH}/"), forward)
        return None

    def _open(self, body: bytes, forward: Forward) -> tuple[int, bytes]:
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if asked.get("mode") != "setup" or "success_url" not in asked:
            return 400, _error("this emulation knows sessions in setup mode, with a success_url")
        intent = {"customer": asked["customer"], "usage": "off_session"}
        status, made = forward("POST", "/v1/setup_intents", urlencode(intent).encode())
        if status != 200:
            return status, made
        session = f"cs_test_{secrets.token_hex(12)}"
        self._sessions[session] = {
            "id": session,
            "object": "checkout.session",
            "mode": "setup",
            "status": "open",
            "customer": asked["customer"],
            "client_reference_id": asked.get("client_reference_id"),
            "setup_intent": json.loads(made)["id"],
            "url": f"https://checkout.stripe.com/c/pay/{session}",
        }
        return 200, json.dumps(self._sessions[session]).encode()

    def _read(self, session: str, forward: Forward) -> tuple[int, bytes]:
        known = self._sessions.get(session)
        if known is None:
            return 404, _error("No such checkout.session")
        status, intent = forward("GET", f"/v1/setup_intents/{known['setup_intent']}", b"")
        if status != 200:
            return status, intent
        setup = json.loads(intent)
        state = "complete" if setup["status"] == "succeeded" else "open"
        return 200, json.dumps({**known, "status": state, "setup_intent": setup}).encode()


def _error(message: str) -> bytes:
    return json.dumps({"error": {"type": "invalid_request_error", "message": message}}).encode()
