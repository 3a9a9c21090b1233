"""hw_proxy's JSON-RPC messages: strict readers for what browsers send, writers for what they get."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from pos_adapter.currencies import currency_of
from pos_adapter.errors import AmountNotRepresentable, BadRequest, MalformedMessage, PosError
from pos_adapter.types import Money

PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS, SERVER_ERROR = -32700, -32600, -32602, -32000
_CARD_MODES = ("card", "", None, False)
"""A till whose payment method has no mode sends none, or Odoo's empty value."""
_NOISE = Decimal("0.000001")
"""Binary floats of a browser miss a decimal amount by far less than this share of a minor unit."""


@dataclass(frozen=True, slots=True)
class Call:
    """One JSON-RPC call: its id as sent, and its parameters."""

    identifier: object
    params: dict[str, object]


@dataclass(frozen=True, slots=True)
class PaymentInfo:
    """What the till asks for.

    `payment` is the payment line's id and comes again when it is retried; modules for Odoo 8 to 12 send
    none. `order` is what those of 10 to 12 find their payment by; older ones send that neither.
    """

    payment: str
    amount: Money
    order: str
    by_card: bool


def load_json(text: str | bytes) -> object:
    """JSON with exact decimals; raises MalformedMessage."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise MalformedMessage(f"not JSON: {str(error)[:80]}") from error


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def call_of(body: bytes) -> Call:
    """A JSON-RPC call; raises MalformedMessage."""
    value = load_json(body)
    if not isinstance(value, dict):
        raise MalformedMessage("a JSON-RPC call is an object")
    params = value.get("params")
    if params is None:
        params = {}
    if not isinstance(params, dict):
        raise MalformedMessage("params is an object")
    identifier = value.get("id")
    if not isinstance(identifier, str | int | None) or isinstance(identifier, bool):
        raise MalformedMessage("id is a number or text")
    return Call(identifier, params)


def payment_info_of(params: dict[str, object]) -> PaymentInfo:
    """The payment in `payment_info`, itself a JSON text; raises MalformedMessage or BadRequest."""
    text = params.get("payment_info")
    info = load_json(text) if isinstance(text, str) else None
    if not isinstance(info, dict):
        raise MalformedMessage("payment_info is a JSON object in a text")
    return PaymentInfo(
        payment=_name_of(info, "payment_id"),
        amount=_money_of(info.get("amount"), info.get("currency_iso")),
        order=_name_of(info, "order_id"),
        by_card=info.get("payment_mode") in _CARD_MODES,
    )


def _name_of(info: dict[str, object], member: str) -> str:
    value = info.get(member)
    if value is None:
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool) or not 1 <= len(str(value)) <= 64:
        raise BadRequest(f"{member} is 1 to 64 characters")
    return str(value)


def _money_of(amount: object, currency: object) -> Money:
    if not isinstance(amount, Decimal | int) or isinstance(amount, bool) or not isinstance(currency, str):
        raise AmountNotRepresentable("amount is a number, currency_iso a text")
    row = currency_of(currency)
    try:
        minor = _minor_of(Decimal(amount), row.exponent)
    except ArithmeticError as error:
        # An exponent beyond what decimals can hold.
        raise AmountNotRepresentable("amount is no number of usual size") from error
    if minor is None:
        raise AmountNotRepresentable(f"amount has more decimals than {row.alpha3}")
    return Money(minor, row.alpha3).require_payable()


def _minor_of(number: Decimal, exponent: int) -> int | None:
    """Whole minor units; None when the number is finer than they are."""
    if abs(number) > Decimal(10**12):
        raise AmountNotRepresentable("amount is too large")
    scaled = number.scaleb(exponent)
    whole = scaled.to_integral_value(ROUND_HALF_EVEN)
    return int(whole) if abs(scaled - whole) <= _NOISE else None


def result_body(call: Call, result: object) -> bytes:
    """A JSON-RPC answer."""
    return json.dumps({"jsonrpc": "2.0", "id": call.identifier, "result": result}).encode()


def error_body(identifier: object, code: int, message: str) -> bytes:
    """A JSON-RPC error."""
    error = {"code": code, "message": message, "data": {"message": message}}
    return json.dumps({"jsonrpc": "2.0", "id": identifier, "error": error}).encode()


def code_of(error: PosError) -> int:
    """The JSON-RPC code of an error."""
    if isinstance(error, MalformedMessage):
        return PARSE_ERROR
    return INVALID_PARAMS if isinstance(error, BadRequest) else SERVER_ERROR
