"""The bodies this terminal sends: how our values look in nexo's JSON."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from pos_adapter.protocols.nexo.header import Header, time_text
from pos_adapter.protocols.nexo.json_text import Json
from pos_adapter.protocols.nexo.options import Instrument, NexoOptions
from pos_adapter.protocols.nexo.outcomes import ADJUSTMENTS, OUTCOMES, SUCCESS, NexoOutcome
from pos_adapter.protocols.nexo.requests import PaymentOrder
from pos_adapter.types import AdjustmentResponse, Money, PaymentResponse

Body = dict[str, Json]


def response(outcome: NexoOutcome, message: str = "") -> Body:
    """The Response block; `message` is for people."""
    block: Body = {"Result": outcome.result}
    if outcome.condition is not None:
        block["ErrorCondition"] = outcome.condition
    pairs = {"refusalReason": outcome.condition} if outcome.condition and message else {}
    if message:
        block["AdditionalResponse"] = urlencode({**pairs, "message": message})
    return block


def failure(category: str, condition: str, message: str = "", **members: Json) -> Body:
    """A whole body `<category>Response` that says no."""
    return {
        f"{category}Response": {"Response": response(NexoOutcome("Failure", condition), message), **members}
    }


def poi_data(identification: str, at: datetime) -> Body:
    """POIData with an id of exactly two parts: some tills split it at its dot."""
    clean = identification.replace(".", "-")
    return {"POITransactionID": {"TransactionID": f"{clean}.{clean}", "TimeStamp": time_text(at)}}


def number(amount: Money) -> Decimal | int:
    """An amount in major units, as JSON writes it."""
    major = amount.major
    return int(major) if major == major.to_integral_value() else major


def payment_body(order: PaymentOrder, header: Header, answer: PaymentResponse, options: NexoOptions) -> Body:
    """A PaymentResponse; it carries a result with amounts only when money moved."""
    outcome = OUTCOMES[answer.outcome]
    body: Body = {
        "Response": response(outcome, answer.message),
        "SaleData": {"SaleTransactionID": order.sale_data.get("SaleTransactionID")},
        "POIData": poi_data(answer.transaction or header.service_id, answer.at),
    }
    if answer.authorised is not None:
        body["PaymentResult"] = _payment_result(order, header, answer, answer.authorised, options)
        body["PaymentReceipt"] = receipts("Payment", answer, answer.authorised, options)
    return {"PaymentResponse": body}


def _payment_result(
    order: PaymentOrder, header: Header, answer: PaymentResponse, authorised: Money, options: NexoOptions
) -> Body:
    identification = answer.transaction or ""
    return {
        "PaymentType": "Normal",
        "PaymentInstrumentData": instrument_data(answer, options, token=order.token_wanted),
        "AmountsResp": {"AuthorizedAmount": number(authorised), "Currency": authorised.currency},
        "OnlineFlag": True,
        # The list has no word for a face, and "OnlinePIN" would be a lie.
        "AuthenticationMethod": ["UnknownMethod"],
        "PaymentAcquirerData": {
            "MerchantID": options.merchant,
            "AcquirerPOIID": header.poi_id,
            "ApprovalCode": answer.approval_code,
            "AcquirerTransactionID": {"TransactionID": identification, "TimeStamp": time_text(answer.at)},
        },
    }


def instrument_data(answer: PaymentResponse, options: NexoOptions, *, token: bool) -> Body:
    """What paid: a card on file or a stored value, as the shop maps it; the token only when asked for."""
    brand = options.brand or answer.brand
    if options.instrument is Instrument.STORED_VALUE:
        return {
            "PaymentInstrumentType": "StoredValue",
            "StoredValueAccountID": {"StoredValueAccountType": "Other", "StoredValueProvider": brand},
        }
    card: Body = {"PaymentBrand": brand, "EntryMode": ["File"]}
    if answer.account:
        card["MaskedPan"] = answer.account
    if token and answer.pseudonym:
        card["PaymentToken"] = {"TokenRequestedType": "Customer", "TokenValue": answer.pseudonym}
    return {"PaymentInstrumentType": "Card", "CardData": card}


def receipts(title: str, answer: PaymentResponse, amount: Money, options: NexoOptions) -> list[Json]:
    """One receipt for the till and one for the shopper; nobody signs."""
    lines = [
        *((f"header{at}", text) for at, text in enumerate(options.receipt_header)),
        ("txtype", title),
        ("paymentMethod", options.brand or answer.brand),
        ("totalAmount", f"{amount.major:f} {amount.currency}"),
        ("txdate", answer.at.astimezone().strftime("%Y-%m-%d %H:%M")),
        ("txRef", answer.transaction or ""),
        ("authCode", answer.approval_code),
    ]
    output: list[Json] = [
        {"Text": urlencode({"name": name, "value": value, "key": name})} for name, value in lines
    ]
    return [
        {
            "DocumentQualifier": qualifier,
            "RequiredSignatureFlag": False,
            "OutputContent": {"OutputFormat": "Text", "OutputText": output},
        }
        for qualifier in ("CashierReceipt", "CustomerReceipt")
    ]


def refund_body(order: PaymentOrder, answer: AdjustmentResponse, header: Header) -> Body:
    """The PaymentResponse of a PaymentRequest of type Refund."""
    outcome = ADJUSTMENTS[answer.outcome]
    body: Body = {
        "Response": response(outcome, answer.message),
        "SaleData": {"SaleTransactionID": order.sale_data.get("SaleTransactionID")},
        "POIData": poi_data(answer.transaction or header.service_id, answer.at),
    }
    if outcome is SUCCESS and answer.amount is not None:
        amounts: Body = {"AuthorizedAmount": number(answer.amount), "Currency": answer.amount.currency}
        body["PaymentResult"] = {"PaymentType": "Refund", "AmountsResp": amounts, "OnlineFlag": True}
    return {"PaymentResponse": body}


def reversal_body(original: Mapping[str, Json], answer: AdjustmentResponse, header: Header) -> Body:
    """A ReversalResponse."""
    outcome = ADJUSTMENTS[answer.outcome]
    body: Body = {
        "Response": response(outcome, answer.message),
        "POIData": poi_data(answer.transaction or header.service_id, answer.at),
        "OriginalPOITransaction": original,
    }
    if outcome is SUCCESS and answer.amount is not None:
        body["ReversedAmount"] = number(answer.amount)
    return {"ReversalResponse": body}


def loyalty_account(pseudonym: str, options: NexoOptions) -> Body:
    """Who stands there, as this merchant's own number for them; never a template or a score."""
    return {
        "LoyaltyAccountID": {
            "LoyaltyID": pseudonym,
            "EntryMode": ["File"],
            "IdentificationType": "AccountNumber",
            "IdentificationSupport": "NoCard",
        },
        "LoyaltyBrand": options.brand or "facepay",
    }


def reject(header: Header, details: str, rejected: bytes, at: datetime) -> Body:
    """The Event that takes the place of an answer to what cannot be answered.

    Returns:
        The body without its header; it goes out as a SaleToPOIRequest.
    """
    return {
        "EventNotification": {
            "TimeStamp": time_text(at),
            "EventToNotify": "Reject",
            "EventDetails": details,
            "RejectedMessage": base64.b64encode(rejected).decode("ascii"),
        }
    }
