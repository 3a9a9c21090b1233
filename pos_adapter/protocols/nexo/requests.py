"""The bodies a till sends, read into our own values (nexo Sale to POI 3.0, message bodies)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from pos_adapter.currencies import currency_of
from pos_adapter.errors import AmountNotRepresentable, MalformedMessage
from pos_adapter.protocols.nexo.header import (
    WIRE,
    Header,
    find_flag,
    find_number,
    find_object,
    find_text,
    find_texts,
    require_object,
    require_text,
)
from pos_adapter.protocols.nexo.json_text import Json
from pos_adapter.types import ExchangeKey, Money, TransactionId

_LONGEST_REFERENCE = 64


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """A PaymentRequest: what to take or give back, and what the till allows.

    `sale_transaction` is echoed as it came. `acquisition` names an earlier CardAcquisition. `brands` and
    `entry_modes` are restrictions the till made; empty means none.
    """

    amount: Money
    sale_data: Mapping[str, Json]
    reference: str
    operator: str
    partial_from: Money | None
    is_refund: bool
    original: TransactionId | None
    acquisition: str | None
    token_wanted: bool
    brands: tuple[str, ...]
    entry_modes: tuple[str, ...]
    extra_minor: int


@dataclass(frozen=True, slots=True)
class ReversalOrder:
    """A ReversalRequest: the whole payment, or `amount` of it as a number without currency."""

    original: TransactionId
    original_body: Mapping[str, Json]
    reason: str
    amount: Decimal | None
    currency: str | None


def read_payment(body: Mapping[str, Json]) -> PaymentOrder:
    """A PaymentRequest.

    Raises:
        MalformedMessage: a member is missing or of the wrong kind.
        AmountNotRepresentable: the amount is not payable or finer than its currency.
        UnknownCurrency: the currency is unknown.
    """
    request = require_object(body, "PaymentRequest")
    sale = require_object(request, "SaleData")
    identification = require_object(sale, "SaleTransactionID")
    transaction = require_object(request, "PaymentTransaction")
    amounts = require_object(transaction, "AmountsReq")
    currency = require_text(amounts, "Currency")
    conditions = find_object(transaction, "TransactionConditions")
    data = find_object(request, "PaymentData")
    kind = find_text(data, "PaymentType") or "Normal"
    if kind not in ("Normal", "Refund"):
        raise MalformedMessage(f"PaymentType {kind[:20]!r} is not taken here")
    return PaymentOrder(
        amount=_amount(amounts, "RequestedAmount", currency).require_payable(),
        sale_data=sale,
        reference=require_text(identification, "TransactionID")[:_LONGEST_REFERENCE],
        operator=(find_text(sale, "OperatorID") or "")[:_LONGEST_REFERENCE],
        partial_from=_partial_from(amounts, data, currency),
        is_refund=kind == "Refund",
        original=_original(find_object(transaction, "OriginalPOITransaction")),
        acquisition=find_text(find_object(data, "CardAcquisitionReference"), "TransactionID"),
        token_wanted=find_text(sale, "TokenRequestedType") is not None,
        brands=find_texts(conditions, "AllowedPaymentBrand"),
        entry_modes=find_texts(conditions, "ForceEntryMode"),
        extra_minor=_extra(amounts, currency),
    )


def read_reversal(body: Mapping[str, Json]) -> ReversalOrder:
    """A ReversalRequest; raises MalformedMessage."""
    request = require_object(body, "ReversalRequest")
    original = require_object(request, "OriginalPOITransaction")
    transaction = _original(original)
    if transaction is None:
        raise MalformedMessage("OriginalPOITransaction names no POITransactionID")
    sale = find_object(request, "SaleData")
    return ReversalOrder(
        original=transaction,
        original_body=original,
        reason=find_text(request, "ReversalReason") or "",
        amount=find_number(request, "ReversedAmount"),
        currency=_currency_hint(sale),
    )


def read_reference(body: Mapping[str, Json], name: str, header: Header) -> ExchangeKey | None:
    """The exchange that an Abort or TransactionStatus request speaks of; None when it names none.

    Raises:
        MalformedMessage: the reference is malformed.
    """
    request = require_object(body, name)
    reference = find_object(request, "MessageReference")
    service = find_text(reference, "ServiceID") or find_text(reference, "DeviceID")
    if service is None:
        return None
    sale = find_text(reference, "SaleID") or header.sale_id
    return ExchangeKey(WIRE, find_text(reference, "POIID") or header.poi_id, sale, service)


def transaction_of(poi_transaction: str) -> TransactionId:
    """The terminal's id within a POITransactionID, which is two parts with one dot."""
    return TransactionId(poi_transaction.split(".", 1)[0])


def _amount(members: Mapping[str, Json], name: str, currency: str) -> Money:
    number = find_number(members, name)
    if number is None:
        raise MalformedMessage(f"{name} is missing")
    return Money.from_major(number, currency)


def _partial_from(amounts: Mapping[str, Json], data: Mapping[str, Json], currency: str) -> Money | None:
    if find_number(amounts, "MinimumAmountToDeliver") is not None:
        return _amount(amounts, "MinimumAmountToDeliver", currency).require_payable()
    return Money(1, currency_of(currency).alpha3) if find_flag(data, "SplitPaymentFlag") else None


def _extra(amounts: Mapping[str, Json], currency: str) -> int:
    names = ("CashBackAmount", "TipAmount")
    parts = [_amount(amounts, name, currency) for name in names if amounts.get(name) is not None]
    if any(part.minor < 0 for part in parts):
        raise AmountNotRepresentable("cash back and tip cannot be negative")
    return sum(part.minor for part in parts)


def _original(members: Mapping[str, Json]) -> TransactionId | None:
    text = find_text(find_object(members, "POITransactionID"), "TransactionID")
    return transaction_of(text) if text else None


def _currency_hint(sale: Mapping[str, Json]) -> str | None:
    """A partial reversal carries its currency as `currency=EUR` among the acquirer's data, if at all."""
    for pair in (find_text(sale, "SaleToAcquirerData") or "").split("&"):
        name, _, value = pair.partition("=")
        if name == "currency" and len(value) == 3:
            return value
    return None
