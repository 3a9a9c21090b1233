"""Between the journal's facts and what a till may read back: the same request, the same answer."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from facepay.journal import Entry, Facts, Opening, State
from facepay.psp.handover import token_of
from pos_adapter.types import (
    ExchangeKey,
    Money,
    Outcome,
    PaymentRecord,
    PaymentRequest,
    PaymentResponse,
    Settlement,
    TransactionId,
)

APPROVED = frozenset({State.ANNOUNCED, State.TELLING, State.CONFIRMED, State.CAPTURED})
RUNNING = frozenset({State.NEW, State.IDENTIFIED, State.AUTHORISING, State.AUTHORISED})
SETTLEMENTS: Mapping[State, Settlement] = {
    State.ANNOUNCED: Settlement.PENDING,
    State.TELLING: Settlement.PENDING,
    State.CONFIRMED: Settlement.PENDING,
    State.CAPTURED: Settlement.CAPTURED,
    State.VOIDING: Settlement.VOIDED,
    State.VOIDED: Settlement.VOIDED,
}
RECEIPTS = 9_999


def opening_of(request: PaymentRequest) -> Opening:
    """What the journal writes when a request begins."""
    partial = request.partial_from.minor if request.partial_from else None
    facts: Facts = {
        "wire": request.key.wire,
        "pos_terminal": request.key.terminal,
        "till": request.key.till,
        "exchange": request.key.exchange,
        # "reference" alone is the provider's, and comes later.
        "till_reference": request.reference,
        "operator": request.operator,
        "partial_minor": partial,
        "identity": request.identity,
    }
    payment = TransactionId(secrets.token_hex(12))
    return Opening(payment, request.key.text, fingerprint_of(request), request.amount, facts)


def fingerprint_of(request: PaymentRequest) -> str:
    """Digest over what a repeated request must not change."""
    partial = str(request.partial_from.minor) if request.partial_from else ""
    parts = (
        str(request.amount.minor),
        request.amount.currency,
        request.reference,
        partial,
        request.identity or "",
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def approval_code_of(payment: TransactionId) -> str:
    """Six characters for a till's receipt; the same for the same payment."""
    return hashlib.sha256(payment.encode()).hexdigest()[:6].upper()


def request_of(entry: Entry) -> PaymentRequest:
    """The till's request as the journal has it."""
    facts = entry.facts
    partial = facts.get("partial_minor")
    return PaymentRequest(
        key=ExchangeKey(
            _text(facts, "wire"), _text(facts, "pos_terminal"), _text(facts, "till"), _text(facts, "exchange")
        ),
        amount=entry.amount,
        reference=_text(facts, "till_reference"),
        operator=_text(facts, "operator"),
        partial_from=Money(partial, entry.amount.currency) if isinstance(partial, int) else None,
        identity=_text(facts, "identity") or None,
    )


def response_of(entry: Entry) -> PaymentResponse | None:
    """The answer that stands for a payment now; None while it may still be running."""
    if entry.state in RUNNING:
        return None
    if entry.state in APPROVED:
        return approval_of(entry)
    named = entry.facts.get("outcome")
    if entry.state is State.UNKNOWN:
        outcome = Outcome.PROVIDER_UNKNOWN
    elif isinstance(named, str):
        outcome = Outcome(named)
    else:
        # Closed after a restart or by a void: nothing was charged, and the cashier starts anew.
        outcome = Outcome.DECLINED if entry.state is State.DECLINED else Outcome.CASHIER_ABORT
    return PaymentResponse(
        outcome,
        entry.amount,
        _at(entry),
        transaction=entry.payment,
        receipt_number=_receipt(entry.facts),
        message=_text(entry.facts, "message"),
    )


def approval_of(entry: Entry) -> PaymentResponse:
    """The approval of an announced payment."""
    facts = entry.facts
    return PaymentResponse(
        Outcome.APPROVED,
        entry.amount,
        _at(entry),
        transaction=entry.payment,
        authorised=entry.amount,
        approval_code=approval_code_of(entry.payment),
        account=_text(facts, "masked"),
        receipt_number=_receipt(facts),
        pseudonym=_text(facts, "pseudonym") or None,
        message=_text(facts, "approved_message"),
        statement=_text(facts, "statement"),
        payer_token=token_of(_text(facts, "payer")),
    )


def record_of(entry: Entry, refunded_minor: int = 0) -> PaymentRecord:
    """What the terminal remembers of a request."""
    settlement = SETTLEMENTS.get(entry.state, Settlement.NONE)
    if settlement is Settlement.CAPTURED and refunded_minor >= entry.amount.minor:
        settlement = Settlement.REFUNDED
    return PaymentRecord(request_of(entry), response_of(entry), settlement)


def _at(entry: Entry) -> datetime:
    return datetime.fromtimestamp(entry.at_ms / 1000, UTC)


def _receipt(facts: Facts) -> int | None:
    number = facts.get("receipt")
    return number if isinstance(number, int) else None


def _text(facts: Facts, name: str) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) else ""
