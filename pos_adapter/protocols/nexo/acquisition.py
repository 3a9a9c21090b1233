"""CardAcquisition, EnableService and Loyalty: who stands there, without paying.

The till gets this merchant's own pseudonym and a reference for the payment that may follow.
"""

from __future__ import annotations

import secrets

from pos_adapter.errors import KeyReused, MalformedMessage
from pos_adapter.protocols.nexo import answers
from pos_adapter.protocols.nexo.answers import Body
from pos_adapter.protocols.nexo.exchanges import Exchange
from pos_adapter.protocols.nexo.header import (
    Header,
    find_number,
    find_object,
    find_text,
    require_object,
    require_text,
)
from pos_adapter.protocols.nexo.json_text import Json
from pos_adapter.protocols.nexo.loyalty import LoyaltyOrder
from pos_adapter.protocols.nexo.outcomes import OUTCOMES, SUCCESS
from pos_adapter.protocols.nexo.payments import fingerprint
from pos_adapter.protocols.nexo.recall import Packed
from pos_adapter.protocols.nexo.terminal import Answer, Incoming, Terminal
from pos_adapter.types import IdentifyRequest, IdentifyResponse, Money, Outcome, ProgressStep


def acquire(terminal: Terminal, incoming: Incoming) -> Answer:
    """CardAcquisitionRequest; a repeated one gets the first one's answer."""
    request = require_object(incoming.message.body, "CardAcquisitionRequest")
    handling = find_text(find_object(request, "CardAcquisitionTransaction"), "LoyaltyHandling") or "Allowed"
    header = incoming.message.header
    try:
        exchange, fresh = terminal.exchanges.open(header.key, fingerprint(incoming.message))
    except KeyReused as error:
        return Answer(answers.failure("CardAcquisition", "NotAllowed", str(error)))
    if not fresh:
        exchange.ended.wait(terminal.options.sale_s)
        running = answers.failure("CardAcquisition", "InProgress")
        return Answer(exchange.answer() if exchange.answer else running)
    body = _identify(terminal, header, request, exchange, loyalty=handling != "Forbidden")
    exchange.end(Packed(body))
    return Answer(body)


def _identify(
    terminal: Terminal, header: Header, request: Json, exchange: Exchange, *, loyalty: bool
) -> Body:
    host = terminal.session.host
    exchange.begin(lambda: host.cancel(exchange.key))
    with terminal.session.occupied() as free:
        if not free:
            return answers.failure("CardAcquisition", "Busy", "a sale is running")
        asked = IdentifyRequest(exchange.key, terminal.options.sale_s)
        response = host.identify(asked, _nobody)
    reference = secrets.token_hex(8)
    body = _body(terminal, request, response, reference, loyalty=loyalty)
    if response.outcome is Outcome.APPROVED:
        terminal.identities.keep(f"{reference}.{reference}", header.sale_id, header.poi_id, response)
    return body


def _body(
    terminal: Terminal, request: Json, response: IdentifyResponse, reference: str, *, loyalty: bool
) -> Body:
    sale = find_object(request, "SaleData") if isinstance(request, dict) else {}
    body: Body = {
        "Response": answers.response(OUTCOMES[response.outcome], response.message),
        "SaleData": {"SaleTransactionID": sale.get("SaleTransactionID")},
        "POIData": answers.poi_data(reference, response.at),
    }
    if response.outcome is Outcome.APPROVED:
        body["PaymentBrand"] = [terminal.options.brand or "facepay"]
        if response.pseudonym and loyalty:
            body["LoyaltyAccount"] = [answers.loyalty_account(response.pseudonym, terminal.options)]
    return {"CardAcquisitionResponse": body}


def enable_service(terminal: Terminal, incoming: Incoming) -> Answer:
    """EnableServiceRequest: AbortTransaction ends an acquisition that no payment follows."""
    request = require_object(incoming.message.body, "EnableServiceRequest")
    action = require_text(request, "TransactionAction")
    if action not in ("StartTransaction", "AbortTransaction"):
        raise MalformedMessage(f"TransactionAction {action[:20]!r} is unknown")
    header = incoming.message.header
    if action == "AbortTransaction":
        for exchange in terminal.exchanges.running():
            same = (exchange.key.terminal, exchange.key.till) == (header.poi_id, header.sale_id)
            if same and exchange.cancel is not None and exchange.sale is None:
                exchange.stop()
        terminal.identities.forget(header.sale_id, header.poi_id)
    return Answer({"EnableServiceResponse": {"Response": answers.response(SUCCESS)}})


def loyalty(terminal: Terminal, incoming: Incoming) -> Answer:
    """LoyaltyRequest: booked by the shop's programme for the account named or acquired before."""
    header = incoming.message.header
    request = require_object(incoming.message.body, "LoyaltyRequest")
    transaction = require_object(request, "LoyaltyTransaction")
    kind = require_text(transaction, "LoyaltyTransactionType")
    account = _account(terminal, header, request)
    if terminal.loyalty is None:
        text = "no loyalty programme is attached to this terminal"
        return Answer(answers.failure("Loyalty", "UnavailableService", text))
    if account is None:
        return Answer(answers.failure("Loyalty", "NotFound", "no loyalty account was named or acquired"))
    total = find_number(transaction, "TotalAmount")
    currency = find_text(transaction, "Currency")
    amount = Money.from_major(total, currency) if total is not None and currency else None
    done = terminal.loyalty.book(LoyaltyOrder(header.key, account, kind, amount))
    if not done.accepted:
        return Answer(answers.failure("Loyalty", "Refusal", done.message))
    result: Body = {"LoyaltyAccount": answers.loyalty_account(account, terminal.options)}
    if done.balance is not None:
        result["CurrentBalance"] = done.balance
    sale = find_object(request, "SaleData")
    body: Body = {
        "Response": answers.response(SUCCESS, done.message),
        "SaleData": {"SaleTransactionID": sale.get("SaleTransactionID")},
        "POIData": answers.poi_data(header.service_id, terminal.session.now()),
        "LoyaltyResult": [result],
    }
    return Answer({"LoyaltyResponse": body})


def _account(terminal: Terminal, header: Header, request: Json) -> str | None:
    items = request.get("LoyaltyData") if isinstance(request, dict) else None
    for item in items if isinstance(items, list) else []:
        if not isinstance(item, dict):
            raise MalformedMessage("LoyaltyData holds what is no object")
        named = find_text(find_object(item, "LoyaltyAccountID"), "LoyaltyID")
        if named:
            return named
        reference = find_text(find_object(item, "CardAcquisitionReference"), "TransactionID")
        known = terminal.identities.find(reference, header.sale_id, header.poi_id) if reference else None
        if known is not None:
            return known.pseudonym
    return None


def _nobody(step: ProgressStep) -> None:
    """The till is not told how far an identification is."""
