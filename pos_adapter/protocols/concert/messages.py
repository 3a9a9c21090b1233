"""Concert E and E+ messages inside their frames: the 34-character request, the 25- or 80-character answer.

Field by field: till number 2, amount in minor units 8, answer flag 1, mode 1, type 1, numeric currency
3, private data 10, answer delay 4 (A010 at the end, A011 at once), authorisation 4 (B010, B011).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from pos_adapter.currencies import currency_of
from pos_adapter.errors import MalformedMessage, NotRepresentable
from pos_adapter.types import Money

REPORT_LENGTH = 55
_REQUEST = re.compile(
    rb"(?P<till>[0-9]{2})(?P<amount>[0-9]{8})(?P<flag>[01])(?P<mode>[0-9A-Z])(?P<type>[0-9])"
    rb"(?P<currency>[0-9]{3})(?P<private>[\x20-\x7e]{10})A01(?P<delay>[01])B01(?P<force>[01])",
)
_ANSWER = re.compile(
    rb"(?P<till>[0-9]{2})(?P<result>[0-9])(?P<amount>[0-9]{8})(?P<mode>.)(?P<report>.{55})?"
    rb"(?P<currency>[0-9]{3})(?P<private>[\x20-\x7e]{10})",
)


class Kind(Enum):
    """What the till asks for."""

    DEBIT = "0"
    CREDIT = "1"
    CANCEL = "2"
    PRE_AUTHORISATION = "4"


class Result(Enum):
    """What the terminal tells: paid, not done, or not verified."""

    OK = "0"
    NOT_DONE = "7"
    NOT_VERIFIED = "9"


@dataclass(frozen=True, slots=True)
class Request:
    """A till's request. `at_once` is A011: the till does not wait for the end."""

    till: str
    amount: Money
    mode: str = "1"
    kind: Kind = Kind.DEBIT
    private: str = " " * 10
    wants_report: bool = True
    at_once: bool = False
    force_authorisation: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The terminal's answer; `report` (55 characters) only where the till asked for the long form."""

    till: str
    result: Result
    amount: Money
    mode: str = "0"
    private: str = " " * 10
    report: str | None = None


def decode_request(payload: bytes) -> Request:
    """A request from a frame; raises MalformedMessage or BadRequest (currency)."""
    match = _REQUEST.fullmatch(payload)
    if match is None:
        raise MalformedMessage("frame is no Concert E+ request of 34 characters")
    field = {name: value.decode("ascii") for name, value in match.groupdict().items()}
    return Request(
        till=field["till"],
        amount=Money(int(field["amount"]), currency_of(field["currency"]).alpha3),
        mode=field["mode"],
        kind=_kind(field["type"]),
        private=field["private"],
        wants_report=field["flag"] == "1",
        at_once=field["delay"] == "1",
        force_authorisation=field["force"] == "1",
    )


def _kind(code: str) -> Kind:
    try:
        return Kind(code)
    except ValueError as error:
        raise MalformedMessage(f"request type {code!r} is unknown") from error


def encode_request(request: Request) -> bytes:
    """The 34 characters of a request; raises NotRepresentable."""
    flags = f"{int(request.wants_report)}{request.mode}{request.kind.value}"
    tail = f"A01{int(request.at_once)}B01{int(request.force_authorisation)}"
    text = f"{request.till}{_digits(request.amount)}{flags}{_numeric(request.amount)}{request.private}{tail}"
    return _checked(text, _REQUEST)


def decode_answer(payload: bytes) -> Answer:
    """An answer from a frame; raises MalformedMessage or BadRequest (currency)."""
    match = _ANSWER.fullmatch(payload)
    if match is None:
        raise MalformedMessage("frame is no Concert E+ answer of 25 or 80 characters")
    field = {name: value.decode("ascii") for name, value in match.groupdict().items() if value is not None}
    try:
        result = Result(field["result"])
    except ValueError as error:
        raise MalformedMessage(f"result {field['result']!r} is unknown") from error
    money = Money(int(field["amount"]), currency_of(field["currency"]).alpha3)
    return Answer(field["till"], result, money, field["mode"], field["private"], field.get("report"))


def encode_answer(answer: Answer) -> bytes:
    """The 25 or 80 characters of an answer; raises NotRepresentable."""
    report = "" if answer.report is None else answer.report[:REPORT_LENGTH].ljust(REPORT_LENGTH)
    head = f"{answer.till}{answer.result.value}{_digits(answer.amount)}{answer.mode}"
    return _checked(f"{head}{report}{_numeric(answer.amount)}{answer.private}", _ANSWER)


def _digits(amount: Money) -> str:
    if not 0 <= amount.minor <= 99_999_999:
        raise NotRepresentable("Concert carries 0 to 99,999,999 minor units")
    return f"{amount.minor:08d}"


def _numeric(amount: Money) -> str:
    return currency_of(amount.currency).numeric


def _checked(text: str, pattern: re.Pattern[bytes]) -> bytes:
    try:
        payload = text.encode("ascii")
    except UnicodeEncodeError as error:
        raise NotRepresentable("Concert carries ASCII only") from error
    if pattern.fullmatch(payload) is None:
        raise NotRepresentable("a field does not fit the Concert E+ layout")
    return payload
