"""Counts failures in a row and makes whoever fails wait: per account, per terminal, per merchant.

The numbers follow NIST SP 800-63B-4 (biometric authenticators): after five failures in a row each further
try waits at least 30 s, and after fifty the face is off for the account until it is enrolled anew. A
terminal and a merchant only wait, so that nobody can shut a shop by failing on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    bindparam,
    delete,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from facepay.db.models.accounts import LockoutRow
from facepay.db.transaction import reading, writing
from facepay.errors import Declined


class LockedOut(Declined):
    """Too many failures in a row; outside it looks like any other refusal."""


class Scope(Enum):
    """Whose failures are counted."""

    ACCOUNT = "account"
    TERMINAL = "terminal"
    MERCHANT = "merchant"


@dataclass(frozen=True, slots=True)
class Guarded:
    """One counter: an account's, a terminal's or a merchant's."""

    scope: Scope
    name: str


@dataclass(frozen=True, slots=True)
class LockoutTerms:
    """How many failures in a row are free, how long the first wait is, and when it ends for good.

    Waits double up to `longest_s`. `off_after` None: never off.
    """

    free: int = 5
    first_s: float = 30.0
    longest_s: float = 3600.0
    off_after: int | None = None

    def wait_s(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row."""
        beyond = failures - self.free
        return 0.0 if beyond < 0 else min(self.longest_s, self.first_s * 2.0 ** min(beyond, 30))


DEFAULT_TERMS: Mapping[Scope, LockoutTerms] = MappingProxyType(
    {
        Scope.ACCOUNT: LockoutTerms(off_after=50),
        # Strangers who try in good faith fail too: a terminal has more free tries and waits shorter.
        Scope.TERMINAL: LockoutTerms(free=10, first_s=30.0, longest_s=300.0),
        Scope.MERCHANT: LockoutTerms(free=100, first_s=30.0, longest_s=300.0),
    }
)


class Lockouts:
    """The counters, on the database, so that a restart forgives nothing; `now_ms` is UTC milliseconds."""

    def __init__(
        self,
        engine: Engine,
        *,
        now_ms: Callable[[], int],
        terms: Mapping[Scope, LockoutTerms] = DEFAULT_TERMS,
    ) -> None:
        self._engine = engine
        self._now_ms = now_ms
        self._terms = terms

    def require_open(self, *guarded: Guarded, connection: Connection | None = None) -> None:
        """Pass in silence where every one of them may try now; looks through `connection` where one is open.

        Raises:
            LockedOut: One has to wait, or is off.
        """
        for row in self._rows(guarded, connection):
            if row.off or self._now_ms() < row.not_before_ms:
                raise LockedOut(f"{row.scope} {row.name}: {row.failures} failures in a row")

    def is_off(self, guarded: Guarded) -> bool:
        """Whether it is off for good, until `clear`."""
        with reading(self._engine) as connection:
            row = _find(connection, guarded)
        return row is not None and bool(row.off)

    def fail(self, *guarded: Guarded) -> None:
        """Count one more failure in a row for each."""
        for one in guarded:
            self._count(one)

    def succeed(self, *guarded: Guarded) -> None:
        """A success ends the row of failures; what is off stays off."""
        # Nearly always nobody has failed: a look costs no commit.
        if not any(row.failures and not row.off for row in self._rows(guarded)):
            return
        with writing(self._engine) as connection:
            for one in guarded:
                connection.execute(
                    update(LockoutRow)
                    .where(*_is(one), LockoutRow.failures > 0, LockoutRow.off.is_(False))
                    .values(failures=0, not_before_ms=0)
                )

    def clear(self, guarded: Guarded) -> None:
        """Forget everything: the account was enrolled anew."""
        with writing(self._engine) as connection:
            connection.execute(delete(LockoutRow).where(*_is(guarded)))

    def _rows(
        self, guarded: Sequence[Guarded], connection: Connection | None = None
    ) -> Sequence[Row[tuple[object, ...]]]:
        counters = [(one.scope.value, one.name) for one in guarded]
        with nullcontext(connection) if connection else reading(self._engine) as opened:
            return opened.execute(_SEVERAL, {"counters": counters}).all()

    def _count(self, one: Guarded) -> None:
        try:
            self._add(one)
        except IntegrityError:
            # Another thread counted the first failure a moment before; now there is a row to add to.
            self._add(one)

    def _add(self, one: Guarded) -> None:
        terms = self._terms[one.scope]
        with writing(self._engine) as connection:
            row = _find(connection, one, lock=True)
            failures = (row.failures if row else 0) + 1
            # A clock that was set back must not shorten a wait.
            now_ms = max(self._now_ms(), row.at_ms if row else 0)
            values = {
                "failures": failures,
                "not_before_ms": now_ms + int(terms.wait_s(failures) * 1000),
                "off": bool(row and row.off) or (terms.off_after is not None and failures >= terms.off_after),
                "at_ms": now_ms,
            }
            if row is None:
                connection.execute(insert(LockoutRow).values(scope=one.scope.value, name=one.name, **values))
            else:
                connection.execute(update(LockoutRow).where(*_is(one)).values(**values))


_SEVERAL = select(LockoutRow.__table__).where(
    tuple_(LockoutRow.scope, LockoutRow.name).in_(bindparam("counters", expanding=True))
)


def _is(one: Guarded) -> tuple[ColumnElement[bool], ...]:
    return LockoutRow.scope == one.scope.value, LockoutRow.name == one.name


def _find(connection: Connection, one: Guarded, *, lock: bool = False) -> Row[tuple[object, ...]] | None:
    query = select(LockoutRow.__table__).where(*_is(one))
    return connection.execute(query.with_for_update() if lock else query).one_or_none()
