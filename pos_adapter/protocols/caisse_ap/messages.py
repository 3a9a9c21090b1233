"""Caisse-AP requests and answers made of tags.

CZ protocol version (first), CJ protocol id, CA till, CB amount in minor units, CD action, CE numeric
currency, CC application, BA 1 for an answer at once. Answers echo the request's tags and add AE (10
done, 01 not done, 11 taken into account), AF the reason, AA masked account, AC approval, CI entry mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from pos_adapter.currencies import currency_of
from pos_adapter.errors import (
    AmountNotRepresentable,
    BadRequest,
    MalformedMessage,
    UnknownCommand,
    UnknownCurrency,
)
from pos_adapter.protocols.caisse_ap.frames import Tag
from pos_adapter.types import Money, PaymentResponse

REQUIRED = frozenset({"CZ", "CJ", "CA", "CB", "CD", "CE"})
VERSIONS = frozenset({"0300", "0301", "0320"})
CHEQUE = "00C"


class Action(Enum):
    """Tag CD: what the till asks for."""

    DEBIT = "0"
    CREDIT = "1"


class Result(Enum):
    """Tag AE."""

    DONE = "10"
    NOT_DONE = "01"
    TAKEN = "11"
    """Taken into account: the answer to BA 1, before the end is known."""


class Reason(Enum):
    """Tag AF, with a result of not done."""

    REFUSED = "04"
    FORBIDDEN = "05"
    ABANDONED = "06"
    FAILED = "07"
    TIMEOUT = "08"
    FORMAT = "09"
    OPERATOR = "11"
    ACTION = "12"
    CURRENCY = "13"


@dataclass(frozen=True, slots=True)
class Request:
    """A till's request; `tags` are all it sent, in order, for the echo."""

    till: str
    amount: Money
    action: Action
    application: str = ""
    at_once: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


def request_of(tags: Mapping[str, str]) -> Request:
    """A request from its tags.

    Raises:
        MalformedMessage: a tag is missing or holds no sensible value.
        UnknownCommand: the action is none of ours.
        UnknownCurrency, AmountNotRepresentable: as named.
    """
    missing = sorted(REQUIRED - set(tags))
    if missing:
        raise MalformedMessage(f"tags {', '.join(missing)} are missing")
    if next(iter(tags)) != "CZ" or tags["CZ"] not in VERSIONS:
        raise MalformedMessage("a request begins with CZ and a protocol version of 3")
    digits = tags["CB"]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 12):
        raise MalformedMessage("CB is an amount of at most 12 digits")
    return Request(
        till=tags["CA"],
        amount=Money(int(digits), currency_of(tags["CE"]).alpha3),
        action=_action_of(tags["CD"]),
        application=tags.get("CC", ""),
        at_once=tags.get("BA") == "1",
        tags=dict(tags),
    )


def _action_of(code: str) -> Action:
    try:
        return Action(code)
    except ValueError as error:
        raise UnknownCommand(f"action {code[:3]!r} is not taken here") from error


def reason_of(error: BadRequest | MalformedMessage) -> Reason:
    """How a refused request is answered."""
    if isinstance(error, UnknownCommand):
        return Reason.ACTION
    if isinstance(error, UnknownCurrency):
        return Reason.CURRENCY
    return Reason.FORBIDDEN if isinstance(error, AmountNotRepresentable) else Reason.FORMAT


def request_tags(request: Request, *, protocol: str = "012345678901") -> list[Tag]:
    """A request's tags, as a till sends them."""
    return [
        Tag("CZ", "0300"),
        Tag("CJ", protocol),
        Tag("CA", request.till),
        Tag("CE", currency_of(request.amount.currency).numeric),
        *([Tag("BA", "1")] if request.at_once else []),
        *([Tag("CC", request.application)] if request.application else []),
        Tag("CD", request.action.value),
        Tag("CB", str(request.amount.minor)),
    ]


def answer_tags(
    tags: Mapping[str, str],
    result: Result,
    *,
    reason: Reason | None = None,
    response: PaymentResponse | None = None,
) -> list[Tag]:
    """An answer: the request's tags again, the result, and what is known about the account."""
    echo = [Tag(name, value) for name, value in tags.items() if name not in {"CC", "BA"}]
    ending = [Tag("AE", result.value)]
    if reason is not None:
        ending.append(Tag("AF", reason.value))
    if response is not None and result is Result.DONE:
        digits = "".join(c for c in response.account if c.isdigit())[-4:]
        ending += [Tag("CC", "000"), Tag("CI", "4"), Tag("AA", f"FACE##########{digits:0>4}")]
        if response.approval_code:
            ending.append(Tag("AC", response.approval_code))
    elif "CC" in tags:
        ending.append(Tag("CC", tags["CC"]))
    return echo + ending
