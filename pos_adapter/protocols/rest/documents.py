"""REST's JSON documents: strict readers for what tills send, writers for what they get."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping

from pos_adapter.desk import DeskView
from pos_adapter.errors import AmountNotRepresentable, BadRequest, MalformedMessage
from pos_adapter.protocols.rest.outcomes import WORDS
from pos_adapter.types import (
    AdjustmentResponse,
    CurrencyTotals,
    ExchangeKey,
    Money,
    Outcome,
    PaymentRequest,
    Totals,
)

JsonObject = Mapping[str, object]
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]*")
MAX_TIMEOUT_S = 300.0


def load_object(body: bytes, known: Collection[str]) -> dict[str, object]:
    """A JSON object with known members only; raises MalformedMessage or BadRequest."""
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_without_doubles, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(f"the body is no JSON: {str(error)[:80]}") from error
    if not isinstance(value, dict):
        raise MalformedMessage("the body is no JSON object")
    unknown = sorted(set(value) - set(known))
    if unknown:
        raise BadRequest(f"unknown member {unknown[0][:40]!r}; known: {', '.join(sorted(known))}")
    return value


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is given twice")
    return members


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def money_of(value: object, name: str = "amount") -> Money:
    """`{"minor": 1240, "currency": "EUR"}`; raises AmountNotRepresentable or UnknownCurrency."""
    if not isinstance(value, dict) or set(value) != {"minor", "currency"}:
        raise AmountNotRepresentable(f"{name} is an object of minor and currency")
    minor, currency = value["minor"], value["currency"]
    if type(minor) is not int or not isinstance(currency, str):
        raise AmountNotRepresentable(f"{name}.minor is a whole number, {name}.currency three letters")
    return Money(minor, currency).require_payable()


def text_of(document: JsonObject, name: str, longest: int) -> str:
    """An optional one-line text member."""
    value = document.get(name, "")
    if not isinstance(value, str) or len(value) > longest or not _PRINTABLE.fullmatch(value):
        raise BadRequest(f"{name} is one line of at most {longest} characters")
    return value


def payment_request_of(document: JsonObject, key: ExchangeKey) -> PaymentRequest:
    """What a till asks for; raises BadRequest naming the member."""
    if "amount" not in document:
        raise BadRequest("amount is required")
    amount = money_of(document["amount"])
    return PaymentRequest(
        key=key,
        amount=amount,
        reference=text_of(document, "reference", 64),
        operator=text_of(document, "operator", 64),
        partial_from=_partial_of(document, amount),
        timeout_s=_timeout_of(document),
    )


def _partial_of(document: JsonObject, amount: Money) -> Money | None:
    if document.get("partial_from") is None:
        return None
    least = money_of(document["partial_from"], "partial_from")
    if least.currency != amount.currency or least.minor > amount.minor:
        raise BadRequest("partial_from is at most the amount, in the same currency")
    return least


def _timeout_of(document: JsonObject) -> float | None:
    value = document.get("timeout_s")
    if value is None:
        return None
    if (
        type(value) not in (int, float)
        or not isinstance(value, int | float)
        or not 1 <= value <= MAX_TIMEOUT_S
    ):
        raise BadRequest(f"timeout_s is a number from 1 to {MAX_TIMEOUT_S:.0f}")
    return float(value)


def money_document(money: Money | None) -> dict[str, object] | None:
    """Minor units and currency, or null."""
    return None if money is None else {"minor": money.minor, "currency": money.currency}


def status_of(outcome: Outcome | None) -> str:
    """One word for a till's program: in_progress, approved, refused or unknown."""
    if outcome is None:
        return "in_progress"
    if outcome is Outcome.PROVIDER_UNKNOWN:
        return "unknown"
    return "approved" if outcome.is_approval else "refused"


def payment_document(view: DeskView) -> dict[str, object]:
    """A payment as tills see it."""
    request, response = view.request, view.response
    return {
        "id": request.key.exchange,
        "status": status_of(response.outcome if response else None),
        "outcome": WORDS[response.outcome] if response else None,
        "step": view.step.value if view.step and not response else None,
        "amount": money_document(request.amount),
        "reference": request.reference,
        "authorised": money_document(response.authorised if response else None),
        "settlement": view.settlement.value,
        "transaction": response.transaction if response else None,
        "approval_code": response.approval_code if response else "",
        "account": response.account if response else "",
        "receipt_number": response.receipt_number if response else None,
        "message": response.message if response else "",
        "statement": (response.statement or None) if response else None,
        "payer_token": (response.payer_token or None) if response else None,
        "ended_at": response.at.isoformat() if response else None,
    }


def refund_document(identifier: str, payment: str, done: AdjustmentResponse) -> dict[str, object]:
    """A refund as tills see it."""
    return {
        "id": identifier,
        "payment": payment,
        "outcome": done.outcome.value,
        "amount": money_document(done.amount),
        "transaction": done.transaction,
        "receipt_number": done.receipt_number,
        "message": done.message,
        "ended_at": done.at.isoformat(),
    }


def totals_document(totals: Totals) -> dict[str, object]:
    """End-of-day figures."""
    return {
        "since": totals.since.isoformat(),
        "until": totals.until.isoformat(),
        "currencies": [_currency_document(entry) for entry in totals.currencies],
    }


def _currency_document(entry: CurrencyTotals) -> dict[str, object]:
    return {
        "payments": entry.payments,
        "paid": money_document(entry.paid),
        "refunds": entry.refunds,
        "refunded": money_document(entry.refunded),
    }
