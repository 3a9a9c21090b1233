"""A cash desk on nexo: HTTPS to port 8443, messages hidden when a passphrase is given.

The key is `IDENTIFIER:VERSION:PASSPHRASE`; with `/sync` and `/async` in the address it is the API key.
"""

from __future__ import annotations

import json
import ssl
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from pos_adapter.errors import BadRequest, MalformedMessage
from pos_adapter.protocols.nexo.local_encryption import KeyName
from pos_adapter.protocols.nexo.wire import TLS_PORT
from pos_adapter.simulator.desks import (
    Action,
    DeskOptions,
    Order,
    Told,
    require_amount,
    require_transaction,
)
from pos_adapter.simulator.nexo_till import NexoAddress, NexoReply, NexoTill, poi_transaction_of
from pos_adapter.types import Money

_SERVICE = "the payment's ServiceID, told when it begins: --transaction SERVICEID"
_POI_TRANSACTION = "the payment's POITransactionID, told at its end: --transaction POITRANSACTIONID"


class NexoDesk:
    """Each action is one request; `--transaction` is a ServiceID to abort, a POITransactionID to reverse."""

    def __init__(self, options: DeskOptions) -> None:
        self._options = options

    def act(self, order: Order) -> Told:
        """One action; see `CashDesk`."""
        till = NexoTill(nexo_address(self._options, order.patience_s), sale_id=self._options.till)
        if order.action is Action.ABORT:
            return _abort(till, require_transaction(order, _SERVICE))
        if order.action is Action.STATUS:
            return _status(till, order.transaction)
        if order.action is Action.END_OF_DAY:
            return _figures(till.ask("Reconciliation", {"ReconciliationType": "SaleReconciliation"}))
        if order.action is Action.PAY:
            service = till.new_service_id()
            order.begun(service, lambda: till.abort(service))
            return _told(till.pay(require_amount(order), service_id=service), "Payment", service)
        amount: Money | None = require_amount(order) if order.action is Action.REFUND else None
        return _told(
            till.reverse(require_transaction(order, _POI_TRANSACTION), amount=amount), "Reversal", ""
        )


def _abort(till: NexoTill, service: str) -> Told:
    """An abort is answered with nothing, also for a payment that nobody knows: the status tells."""
    reply = till.abort(service)
    if reply.status != 200:
        return Told(False, reply.rejection or f"HTTP {reply.status}", _document(reply))
    result, condition = till.status(service).result("TransactionStatus")
    if result == "Success":
        return Told(False, f"ServiceID {service} is over: ask for its status")
    if condition == "InProgress":
        return Told(True, f"abort sent; the own answer of ServiceID {service} says how it ended")
    return Told(False, f"no payment with ServiceID {service} is known there ({condition})")


def _status(till: NexoTill, service: str) -> Told:
    if service:
        return _told(till.status(service), "TransactionStatus", service)
    reply = till.ask("Diagnosis", {"HostDiagnosisFlag": False})
    status = reply.body.get("DiagnosisResponse") and reply.response("Diagnosis").get("POIStatus")
    state = str(status.get("GlobalStatus")) if isinstance(status, dict) else (reply.rejection or "no answer")
    return Told(state == "OK", state, _document(reply))


def _figures(reply: NexoReply) -> Told:
    told = _told(reply, "Reconciliation", "")
    totals = reply.response("Reconciliation").get("TransactionTotals") if told.done else None
    entries = totals if isinstance(totals, list) else []
    lines = [_line(entry) for entry in entries if isinstance(entry, dict)]
    text = "; ".join(lines) or "no payments since the last close"
    return Told(True, text, told.document) if told.done else told


def _line(entry: dict[str, Any]) -> str:
    sums = {one["TransactionType"]: one for one in entry["PaymentTotals"]}
    words = (("Debit", "payments"), ("Credit", "refunds"))
    currency = entry["PaymentCurrency"]
    found = [(sums[kind], word) for kind, word in words if kind in sums]
    return ", ".join(
        f"{one['TransactionCount']} {word} {one['TransactionAmount']:.2f} {currency}" for one, word in found
    )


def _told(reply: NexoReply, category: str, service: str) -> Told:
    if f"{category}Response" not in reply.body:
        return Told(False, reply.rejection or f"HTTP {reply.status}", _document(reply))
    result, condition = reply.result(category)
    text = result if condition is None else f"{result}, {condition}"
    document = _document(reply)
    if category == "Payment":
        # A refusal that opened no transaction, such as Busy, has none.
        with suppress(MalformedMessage):
            document["transaction"] = poi_transaction_of(reply)
            text += f", POITransactionID {document['transaction']}"
    if service:
        text += f", ServiceID {service}"
    return Told(result in ("Success", "Partial"), text, document)


def _document(reply: NexoReply) -> dict[str, object]:
    return {"status": reply.status, "body": json.loads(json.dumps(reply.body, default=float))}


def nexo_address(options: DeskOptions, patience_s: float) -> NexoAddress:
    """Where and how to speak to the terminal; raises BadRequest."""
    url = options.address if "//" in options.address else f"https://{options.address}"
    parts = urlsplit(url)
    if not parts.hostname:
        raise BadRequest(f"nexo needs --address https://HOST:{TLS_PORT}/nexo")
    if parts.scheme == "https" and parts.port is None:
        url = f"https://{parts.hostname}:{TLS_PORT}{parts.path}"
    url += "" if parts.path else "/nexo"
    tls = _context(options.authority) if parts.scheme == "https" else None
    if parts.path.rstrip("/") in ("/sync", "/async"):
        return NexoAddress(url, tls, api_key=options.key, patience_s=patience_s)
    if not options.key:
        return NexoAddress(url, tls, patience_s=patience_s)
    identifier, version, passphrase = nexo_key(options.key)
    return NexoAddress(url, tls, KeyName(identifier, version), passphrase, patience_s=patience_s)


def nexo_key(text: str) -> tuple[str, int, str]:
    """Identifier, version and passphrase; raises BadRequest."""
    identifier, _, rest = text.partition(":")
    version, colon, passphrase = rest.partition(":")
    if not colon or not (version.isascii() and version.isdigit()):
        raise BadRequest("the nexo key is IDENTIFIER:VERSION:PASSPHRASE")
    return identifier, int(version), passphrase


def _context(authority: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=authority or None)
    except (OSError, ssl.SSLError) as error:
        raise BadRequest(f"{authority} is no certificate authority: {error}") from error
    # As the tills of this dialect do: the chain is checked, the address may be a bare IP.
    context.check_hostname = False
    return context


def open_desk(options: DeskOptions) -> NexoDesk:
    """A desk on `options.address`."""
    return NexoDesk(options)
