"""One link of the chain: how a row becomes bytes and the bytes become its hash.

The text that is hashed is written down in `docs/receipts.md`, so that an auditor can check an exported
journal without this code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Row

from facepay.journal.states import State
from pos_adapter.types import Money, TransactionId

Facts = Mapping[str, str | int | bool | None]
"""What a row adds to what is known of its payment; never pixels, features, scores or card numbers."""

GENESIS = "0" * 64
"""`previous` of the first row of a chain."""


@dataclass(frozen=True, slots=True)
class Link:
    """One row of `journal_row`, ready to be hashed; `body` is canonical JSON."""

    chain: str
    sequence: int
    payment: str
    state: str
    at_ms: int
    body: str
    previous: str

    @property
    def hash(self) -> str:
        """Lowercase hex sha256 of the row's fields, one a line, `previous` last."""
        text = (
            f"{self.chain}\n{self.sequence}\n{self.payment}\n{self.state}\n"
            f"{self.at_ms}\n{self.body}\n{self.previous}"
        )
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known when a payment (or, with `original`, a refund) begins.

    `request` is the till's key of the request, unique for ever; `fingerprint` covers what the request
    asks for, so that a repetition with another amount is told apart from a repetition.
    """

    payment: TransactionId
    request: str
    fingerprint: str
    amount: Money
    facts: Facts = field(default_factory=dict)
    original: TransactionId | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a payment, and the facts its row adds."""

    state: State
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a payment stands, read off its rows."""

    payment: TransactionId
    request: str
    fingerprint: str
    state: State
    amount: Money
    account: str | None
    at_ms: int
    facts: Facts
    original: TransactionId | None = None


def canonical(facts: Facts) -> str:
    """Facts as JSON with sorted keys, no blanks and ASCII only: the same facts give the same bytes."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def as_entry(row: Row[tuple[object, ...]]) -> Entry:
    """A row of `journal_payment` as an entry."""
    return Entry(
        payment=TransactionId(row.payment),
        request=row.request,
        fingerprint=row.fingerprint,
        state=State(row.state),
        amount=Money(row.amount_minor, row.currency),
        account=row.account,
        at_ms=row.at_ms,
        facts=json.loads(row.body),
        original=TransactionId(row.original) if row.original is not None else None,
    )
