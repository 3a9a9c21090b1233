"""The till's side of the REST wire, for people who integrate a terminal and for demonstrations."""

from __future__ import annotations

import http.client
import json
import secrets
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from pos_adapter.errors import BadRequest, LinkUnavailable, MalformedMessage
from pos_adapter.types import Money


@dataclass(frozen=True, slots=True)
class RestAnswer:
    """Status and JSON document of one answer."""

    status: int
    document: dict[str, Any]  # JSON of the other side, whatever it holds.


@dataclass(frozen=True, slots=True)
class RestTill:
    """A till with an API key; every method is one request and raises LinkUnavailable without an answer."""

    address: str
    key: str = field(repr=False)
    timeout_s: float = 90.0
    tls: ssl.SSLContext | None = None

    def pay(self, amount: Money, *, reference: str = "", wait_s: int = 60, idem: str = "") -> RestAnswer:
        """Start a payment and wait for its end."""
        body = {
            "amount": {"minor": amount.minor, "currency": amount.currency},
            "reference": reference,
        }
        headers = {"Idempotency-Key": idem or secrets.token_hex(12), "Prefer": f"wait={wait_s}"}
        return self.send("POST", "/v1/payments", body, headers)

    def show(self, payment: str, *, wait_s: int = 0) -> RestAnswer:
        """How a payment stands."""
        return self.send("GET", f"/v1/payments/{quote(payment)}", None, {"Prefer": f"wait={wait_s}"})

    def acknowledge(self, payment: str, *, learned: bool = True) -> RestAnswer:
        """The till has learned of the approval, or gives it up."""
        return self.send("POST", f"/v1/payments/{quote(payment)}/acknowledgement", {"learned": learned})

    def cancel(self, payment: str) -> RestAnswer:
        """Stop a running payment."""
        return self.send("POST", f"/v1/payments/{quote(payment)}/cancellation")

    def refund(self, payment: str, amount: Money | None = None) -> RestAnswer:
        """Give money back."""
        body = {} if amount is None else {"amount": {"minor": amount.minor, "currency": amount.currency}}
        headers = {"Idempotency-Key": secrets.token_hex(12)}
        return self.send("POST", f"/v1/payments/{quote(payment)}/refunds", body, headers)

    def terminal(self) -> RestAnswer:
        """Whether a sale could start now."""
        return self.send("GET", "/v1/terminal")

    def totals(self, *, close: bool = False) -> RestAnswer:
        """Figures since the last close."""
        return self.send("POST" if close else "GET", "/v1/totals")

    def send(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> RestAnswer:
        """One request, anything at all."""
        raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **(headers or {})}
        connection = self._connect()
        try:
            connection.request(method, path, raw, sent)
            answer = connection.getresponse()
            return RestAnswer(answer.status, _object_of(answer.read()))
        except (OSError, http.client.HTTPException) as error:
            raise LinkUnavailable(f"no answer from {self.address}: {error}") from error
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.address if "//" in self.address else f"http://{self.address}")
        if parts.scheme == "https":
            tls = self.tls or ssl.create_default_context()
            return http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=self.timeout_s, context=tls
            )
        if parts.scheme != "http" or not parts.hostname:
            raise BadRequest(f"{self.address!r} is no http or https address")
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=self.timeout_s)


def _object_of(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except ValueError as error:
        raise MalformedMessage("the terminal's answer is no JSON") from error
    if not isinstance(document, dict):
        raise MalformedMessage("the terminal's answer is no JSON object")
    return document
