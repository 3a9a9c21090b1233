"""The till's side of nexo, for people who integrate a terminal and for our own tests."""

from __future__ import annotations

import http.client
import itertools
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlsplit

from pos_adapter.errors import LinkClosed, LinkUnavailable, MalformedMessage, Unauthenticated
from pos_adapter.protocols.nexo import answers, envelope, json_text
from pos_adapter.protocols.nexo.envelope import RESPONSE, Message
from pos_adapter.protocols.nexo.header import Header, time_text
from pos_adapter.protocols.nexo.json_text import Json
from pos_adapter.protocols.nexo.local_encryption import KeyName, KeyRing
from pos_adapter.types import Money

Body = dict[str, Json]


@dataclass(frozen=True, slots=True)
class NexoAddress:
    """Where the terminal is and how to speak to it; `key` None sends messages in clear."""

    url: str
    tls: ssl.SSLContext | None = None
    key: KeyName | None = None
    passphrase: str = ""
    api_key: str = ""
    patience_s: float = 130.0


@dataclass(frozen=True, slots=True)
class NexoReply:
    """What came back: HTTP status, and the body of a response or of an Event; empty when there was none."""

    status: int
    body: Mapping[str, Json]
    raw: bytes = b""

    def response(self, category: str) -> Mapping[str, Json]:
        """The `<category>Response`; raises MalformedMessage when something else came."""
        value = self.body.get(f"{category}Response")
        if not isinstance(value, dict):
            raise MalformedMessage(f"no {category}Response came back")
        return value

    def result(self, category: str) -> tuple[str, str | None]:
        """Result and ErrorCondition."""
        block = self.response(category).get("Response")
        if not isinstance(block, dict):
            raise MalformedMessage("the answer has no Response block")
        condition = block.get("ErrorCondition")
        return str(block.get("Result")), None if condition is None else str(condition)

    @property
    def rejection(self) -> str | None:
        """The details of an Event Reject, or None."""
        event = self.body.get("EventNotification")
        return str(event.get("EventDetails")) if isinstance(event, dict) else None


class NexoTill:
    """One till (SaleID) and its requests; each opens its own connection. Safe to use from many threads."""

    def __init__(
        self, address: NexoAddress, *, sale_id: str = "POS-01", poi_id: str = "FACE01-000000001"
    ) -> None:
        self.address = address
        self.sale_id = sale_id
        self.poi_id = poi_id
        self._keys = KeyRing({address.key: address.passphrase} if address.key else {})
        self._prefix = secrets.token_hex(2)
        self._numbers = itertools.count(1)

    def new_service_id(self) -> str:
        """A fresh ServiceID of at most ten characters."""
        return f"{self._prefix}{next(self._numbers):06d}"

    def pay(
        self,
        amount: Money | str,
        currency: str = "EUR",
        *,
        service_id: str | None = None,
        sale: str = "T1",
        **payment_data: Json,
    ) -> NexoReply:
        """PaymentRequest; a string amount goes out as it is, so that impossible ones can be tried."""
        number: Json = answers.number(amount) if isinstance(amount, Money) else Decimal(amount)
        body: Body = {
            "SaleData": {
                "SaleTransactionID": {"TransactionID": sale, "TimeStamp": time_text(datetime.now(UTC))}
            },
            "PaymentTransaction": {"AmountsReq": {"Currency": currency, "RequestedAmount": number}},
        }
        if payment_data:
            body["PaymentData"] = payment_data
        return self.ask("Payment", body, service_id=service_id)

    def abort(self, service_id: str) -> NexoReply:
        """AbortRequest for one of this till's payments."""
        body: Body = {"AbortReason": "MerchantAbort", "MessageReference": self._reference(service_id)}
        return self.ask("Abort", body)

    def status(self, service_id: str) -> NexoReply:
        """TransactionStatusRequest for one of this till's payments."""
        reference = self._reference(service_id)
        return self.ask("TransactionStatus", {"ReceiptReprintFlag": True, "MessageReference": reference})

    def reverse(
        self, poi_transaction: str, *, amount: Money | None = None, service_id: str | None = None
    ) -> NexoReply:
        """ReversalRequest for the payment with this POITransactionID, or a part of it."""
        identification: Body = {"TransactionID": poi_transaction, "TimeStamp": time_text(datetime.now(UTC))}
        body: Body = {
            "OriginalPOITransaction": {"POITransactionID": identification},
            "ReversalReason": "MerchantCancel",
        }
        if amount is not None:
            body["ReversedAmount"] = answers.number(amount)
            body["SaleData"] = {"SaleToAcquirerData": f"currency={amount.currency}"}
        return self.ask("Reversal", body, service_id=service_id)

    def identify(self) -> NexoReply:
        """CardAcquisitionRequest that asks for the loyalty account."""
        sale: Body = {"TransactionID": "T1", "TimeStamp": time_text(datetime.now(UTC))}
        transaction: Body = {"LoyaltyHandling": "Proposed"}
        body: Body = {"SaleData": {"SaleTransactionID": sale}, "CardAcquisitionTransaction": transaction}
        return self.ask("CardAcquisition", body)

    def ask(self, category: str, members: Body, *, service_id: str | None = None) -> NexoReply:
        """Any request of class Service."""
        header = Header(
            "Service",
            category,
            "Request",
            self.sale_id,
            self.poi_id,
            service_id or self.new_service_id(),
            protocol_version="3.0",
        )
        message = Message(header, {f"{category}Request": members}, self.address.key)
        return self.post(envelope.encode(message, self._keys))

    def post(self, data: bytes) -> NexoReply:
        """Send bytes as they are and read the answer.

        Raises:
            LinkUnavailable: the address cannot be reached or its certificate is not trusted.
            LinkClosed: the connection ended without an answer.
        """
        address = self.address
        parts = urlsplit(address.url)
        host = parts.hostname or ""
        connection = (
            http.client.HTTPSConnection(host, parts.port, timeout=address.patience_s, context=address.tls)
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port, timeout=address.patience_s)
        )
        headers = {"Content-Type": "application/json"}
        if address.api_key:
            headers["X-API-Key"] = address.api_key
        try:
            connection.connect()
        except OSError as error:
            raise LinkUnavailable(f"cannot reach {address.url}: {error}") from error
        try:
            connection.request("POST", parts.path or "/nexo", data, headers)
            answer = connection.getresponse()
            raw = answer.read()
        except (OSError, http.client.HTTPException) as error:
            # What a terminal does that expects TLS and was spoken to in clear.
            hint = "; if it speaks TLS, say https://" if parts.scheme == "http" else ""
            raise LinkClosed(f"{address.url} ended the connection: {error}{hint}") from error
        finally:
            connection.close()
        return NexoReply(answer.status, self._open(raw), raw)

    def _open(self, raw: bytes) -> Mapping[str, Json]:
        if not raw or not raw.lstrip().startswith(b"{"):
            return {}
        if envelope.REQUEST in json_text.decode(raw):
            return envelope.decode(raw, self._keys).body
        reply = envelope.decode(raw, self._keys, root=RESPONSE)
        if reply.key != self.address.key:
            raise Unauthenticated("the answer came under another key")
        return reply.body

    def _reference(self, service_id: str) -> Body:
        return {"MessageCategory": "Payment", "ServiceID": service_id, "SaleID": self.sale_id}


def poi_transaction_of(reply: NexoReply, category: str = "Payment") -> str:
    """The POITransactionID of an answer; raises MalformedMessage when it has none."""
    data = reply.response(category).get("POIData")
    identification = data.get("POITransactionID") if isinstance(data, dict) else None
    text = identification.get("TransactionID") if isinstance(identification, dict) else None
    if not isinstance(text, str):
        raise MalformedMessage("the answer has no POITransactionID")
    return text
