"""What an account has spent, read off the journal: since its last PIN, and today."""

from __future__ import annotations

import json

from sqlalchemy import Connection, bindparam, func, select

from facepay.db.models.journal import JournalPayment
from facepay.journal import State
from facepay.policy import Spending

SPENT = tuple(
    state.value
    for state in (
        # A payment whose outcome is open counts as spent until it is known not to be.
        State.AUTHORISING,
        State.UNKNOWN,
        State.AUTHORISED,
        State.ANNOUNCED,
        State.TELLING,
        State.CONFIRMED,
        State.CAPTURED,
    )
)
LOOKED_AT = 200
"""Payments back to which the last PIN is searched; the policy asks for one after far fewer."""


# Built once: building it takes longer than running it.
_NEWEST = (
    select(JournalPayment.amount_minor, JournalPayment.at_ms, JournalPayment.body)
    .where(JournalPayment.account == bindparam("account"), JournalPayment.state.in_(SPENT))
    .order_by(JournalPayment.at_ms.desc(), JournalPayment.payment.desc())
    .limit(LOOKED_AT)
)
_SINCE = select(
    func.coalesce(func.sum(JournalPayment.amount_minor), 0).label("minor"), func.count().label("payments")
).where(
    JournalPayment.account == bindparam("account"),
    JournalPayment.state.in_(SPENT),
    JournalPayment.at_ms >= bindparam("since_ms"),
)


_LAST = select(func.max(JournalPayment.at_ms)).where(
    JournalPayment.account == bindparam("account"), JournalPayment.state.in_(SPENT)
)


def last_paid_ms(connection: Connection, account: str) -> int | None:
    """When an account paid last, at any terminal on this database; None: never."""
    found: int | None = connection.scalar(_LAST, {"account": account})
    return found


def spending_of(connection: Connection, account: str, now_ms: int) -> Spending:
    """Sum and count since the last payment with the PIN, and the time since the last payment."""
    minor = count = 0
    since_s: float | None = None
    for amount_minor, at_ms, body in connection.execute(_NEWEST, {"account": account}):
        since_s = (now_ms - at_ms) / 1000 if since_s is None else since_s
        if json.loads(body).get("factor") == "pin":
            break
        minor, count = minor + amount_minor, count + 1
    return Spending(minor, count, since_s)


def spent_since(connection: Connection, account: str, since_ms: int) -> tuple[int, int]:
    """Sum in minor units and count of an account's payments from a point in time on."""
    row = connection.execute(_SINCE, {"account": account, "since_ms": since_ms}).one()
    return int(row.minor), row.payments
