"""The double-entry core: one function that posts, and refuses what does not balance or is not covered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import BigInteger, Connection, Engine, bindparam, insert, or_, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from facepay.db.base import Base
from facepay.db.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from facepay.errors import UnknownName
from facepay.psp.base import KeyReused, PspError, PspUnreachable

Result = TypeVar("Result")

# Built once: building a statement takes longer than SQLite takes to run it. The tables are taken, not their
# classes, because inserting through a class goes through the mapper.
_ACCOUNT = Base.metadata.tables[LedgerAccount.__tablename__]
_TRANSACTION = Base.metadata.tables[LedgerTransaction.__tablename__]
_POSTED = select(_TRANSACTION.c.fingerprint).where(_TRANSACTION.c.key == bindparam("of_key"))
_INSERT_TRANSACTION = insert(_TRANSACTION).returning(_TRANSACTION.c.transaction)
_INSERT_ENTRY = insert(Base.metadata.tables[LedgerEntry.__tablename__])
_KIND = select(_ACCOUNT.c.kind, _ACCOUNT.c.currency).where(_ACCOUNT.c.account == bindparam("of_account"))
_BY = bindparam("by_minor", type_=BigInteger)
_MOVE = (
    update(_ACCOUNT)
    .where(
        _ACCOUNT.c.account == bindparam("of_account"),
        _ACCOUNT.c.currency == bindparam("in_currency"),
        or_(_ACCOUNT.c.kind == "outside", _ACCOUNT.c.balance_minor + _BY >= 0),
    )
    .values(balance_minor=_ACCOUNT.c.balance_minor + _BY)
)


class UnbalancedPosting(PspError):
    """The legs of a posting do not add up to 0, or it has fewer than two; the caller has a bug."""


class Shortfall(PspError):
    """An account is missing, closed, of another currency, or would go below 0; nothing was posted."""


class UnknownAccount(Shortfall, UnknownName):
    """Nobody has an account of this name."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a posting: positive adds to the account, negative takes from it, in minor units."""

    account: str
    minor: int


@dataclass(frozen=True, slots=True)
class Posting:
    """A balanced transaction that happens once per key."""

    key: str
    kind: str
    fingerprint: str
    text: str
    currency: str
    legs: tuple[Leg, ...]

    def __post_init__(self) -> None:
        amounts = [leg.minor for leg in self.legs]
        if len(amounts) < 2 or 0 in amounts or sum(amounts) != 0:
            raise UnbalancedPosting(f"{self.kind}: the legs must be at least two, not 0, and add up to 0")


def post(connection: Connection, posting: Posting, at_ms: int) -> bool:
    """Post inside the caller's transaction.

    Returns:
        False where the key was posted before with the same fingerprint; nothing was done.

    Raises:
        KeyReused: The key was posted before with another fingerprint.
        Shortfall: A leg is not covered; the caller rolls back.
    """
    known = connection.scalar(_POSTED, {"of_key": posting.key})
    if known is not None:
        if known != posting.fingerprint:
            raise KeyReused(f"{posting.kind}: the key was used before for something else")
        return False
    row = {
        "key": posting.key,
        "kind": posting.kind,
        "fingerprint": posting.fingerprint,
        "text": posting.text,
        "posted_at_ms": at_ms,
    }
    transaction = connection.execute(_INSERT_TRANSACTION, row).scalar_one()
    # Accounts are touched in one order everywhere, so that two writers cannot wait for each other.
    for leg in sorted(posting.legs, key=lambda leg: leg.account):
        _move(connection, posting.currency, leg)
    connection.execute(
        _INSERT_ENTRY,
        [
            {"transaction": transaction, "account": leg.account, "amount_minor": leg.minor}
            for leg in posting.legs
        ],
    )
    return True


def _move(connection: Connection, currency: str, leg: Leg) -> None:
    values = {"of_account": leg.account, "in_currency": currency, "by_minor": leg.minor}
    moved = connection.execute(_MOVE, values)
    if moved.rowcount != 1:
        raise Shortfall(f"account {leg.account} is missing, of another currency, or not covered")


def require_account(connection: Connection, account: str, kind: str, currency: str, at_ms: int) -> None:
    """Make sure that an account exists, opening it where it does not."""
    known = connection.execute(_KIND, {"of_account": account}).one_or_none()
    if known is None:
        connection.execute(
            insert(LedgerAccount).values(
                account=account, kind=kind, currency=currency, balance_minor=0, opened_at_ms=at_ms
            )
        )
    elif tuple(known) != (kind, currency):
        raise Shortfall(f"account {account} exists as {known.kind} in {known.currency}")


def transact(
    engine: Engine, work: Callable[[Connection], Result], *, uncertain: Result | None = None
) -> Result:
    """Run `work` in one transaction, once more where another writer came first with the same key.

    Args:
        uncertain: What to answer where the connection broke during commit and nobody knows; SQLite
            always knows. Without it, that is `PspError`.

    Raises:
        PspUnreachable: The database could not be used; nothing was written, for certain.
    """
    try:
        return _attempt(engine, work, uncertain)
    except IntegrityError:
        try:
            return _attempt(engine, work, uncertain)
        except IntegrityError as error:
            raise PspUnreachable(f"the wallet's database refused: {error.orig}") from error


def _attempt(engine: Engine, work: Callable[[Connection], Result], uncertain: Result | None) -> Result:
    committing = False
    try:
        with engine.connect() as connection, connection.begin() as transaction:
            result = work(connection)
            committing = True
            transaction.commit()
            return result
    except IntegrityError:
        raise
    except DBAPIError as error:
        if not committing or engine.dialect.name == "sqlite":
            raise PspUnreachable(f"the wallet's database is not available: {error.orig}") from error
        if uncertain is None:
            raise PspError(f"the wallet's database broke off while committing: {error.orig}") from error
        return uncertain
