"""Writes the journal. Every public method commits before it returns, so that the effect may follow.

One `Journal` writes one chain (one terminal); any number of chains live in one database. The object is
safe to share between threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import Connection, Engine, bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from facepay.db.base import Base
from facepay.db.engine import reader_of
from facepay.db.models.journal import JournalPayment
from facepay.db.prepared import Prepared
from facepay.journal.chain import Chain
from facepay.journal.errors import JournalUnavailable, RequestChanged, UnknownPayment
from facepay.journal.rows import Entry, Facts, Opening, Step, as_entry, canonical
from facepay.journal.states import MONEY_MOVED, OPEN, State, require_step
from pos_adapter.types import TransactionId

Result = TypeVar("Result")
Observer = Callable[[str, tuple[State, ...]], None]
Guard = Callable[[Entry, Sequence[Entry]], None]
"""Sees a payment and its refunds so far; raises where the new one may not be."""

_PAYMENT = Base.metadata.tables[JournalPayment.__tablename__]
_ONE_PAYMENT = select(_PAYMENT).where(_PAYMENT.c.payment == bindparam("payment"))
_BY_PAYMENT = Prepared(_ONE_PAYMENT, "payment")
_BY_PAYMENT_LOCKED = Prepared(_ONE_PAYMENT.with_for_update(), "payment")
_BY_REQUEST = Prepared(select(_PAYMENT).where(_PAYMENT.c.request == bindparam("request")), "request")
_INSERT_PAYMENT = Prepared(insert(_PAYMENT), *_PAYMENT.c.keys())
_MOVE_PAYMENT = Prepared(
    update(_PAYMENT)
    .where(_PAYMENT.c.payment == bindparam("of_payment"))
    .values(
        state=bindparam("to_state"),
        body=bindparam("to_body"),
        account=bindparam("to_account"),
        receipt=bindparam("to_receipt"),
        moved_at_ms=bindparam("to_moved_at_ms"),
    ),
    *("of_payment", "to_state", "to_body", "to_account", "to_receipt", "to_moved_at_ms"),
)


@dataclass(frozen=True, slots=True)
class Begun:
    """Answer of `Journal.begin`: `repeated` says that the till has asked this before."""

    entry: Entry
    repeated: bool


class Journal:
    """The chain of one terminal; `now_ms` gives UTC milliseconds since 1970.

    `observer` is called around every commit with "before" or "after" and the states written; `facepay
    chaos` pulls the plug in it.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        chain: str,
        now_ms: Callable[[], int],
        observer: Observer = lambda _when, _states: None,
    ) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._chain = Chain(chain, now_ms)
        self._observer = observer
        self._lock = threading.Lock()

    @property
    def chain(self) -> str:
        """Name of the chain this journal writes: the terminal's id."""
        return self._chain.name

    def begin(self, opening: Opening) -> Begun:
        """Write NEW for a request, or find what was written when it first came.

        Raises:
            RequestChanged: The till repeated the key but asks for something else.
            JournalUnavailable: Nothing was written.
        """

        def work(connection: Connection) -> Begun:
            known = _find_request(connection, opening.request)
            if known is not None:
                if known.fingerprint != opening.fingerprint:
                    raise RequestChanged(f"request {opening.request} was made before for something else")
                return Begun(known, repeated=True)
            return Begun(self._open(connection, opening), repeated=False)

        return self._write(work, State.NEW)

    def begin_refund(self, opening: Opening, guard: Guard) -> Begun:
        """Write NEW for a refund if `guard` lets it pass, or find what was written when it first came.

        `guard` sees the original and all its refunds so far inside the transaction that writes the new
        one, so that two refunds at once cannot together exceed the payment; it refuses by raising.

        Raises:
            UnknownPayment: The original is not in the journal.
            RequestChanged: The key was used before for another refund.
            JournalUnavailable: Nothing was written.
        """

        def work(connection: Connection) -> Begun:
            original = _require(connection, TransactionId(opening.original or ""), lock=True)
            known = _find_request(connection, opening.request)
            if known is not None:
                if known.fingerprint != opening.fingerprint:
                    raise RequestChanged(f"request {opening.request} was made before for something else")
                return Begun(known, repeated=True)
            guard(original, _refunds(connection, original.payment))
            return Begun(self._open(connection, opening), repeated=False)

        return self._write(work, State.NEW)

    def advance(self, payment: TransactionId, state: State, facts: Facts | None = None) -> Entry:
        """Take one step and add `facts` to what is known; see `walk`."""
        return self.walk(payment, Step(state, facts or {}))

    def walk(self, payment: TransactionId, *steps: Step) -> Entry:
        """Take steps with no effect between them, a row each, in one transaction (ADR 0140).

        Raises:
            IllegalTransition: The table has no such step; nothing was written.
            UnknownPayment: No such payment.
            JournalUnavailable: Nothing was written; the effect must not happen.
        """

        def work(connection: Connection) -> Entry:
            return self._walk(connection, _require(connection, payment), steps)

        return self._write(work, *(step.state for step in steps))

    def find(self, payment: TransactionId) -> Entry | None:
        """Where a payment of any chain stands."""
        return self._read(lambda connection: _find(connection, payment))

    def find_request(self, request: str) -> Entry | None:
        """Where the payment of a till's request stands."""
        return self._read(lambda connection: _find_request(connection, request))

    def open_entries(self, states: Collection[State] = OPEN) -> Sequence[Entry]:
        """Payments of this chain that wait to be settled, oldest first."""
        query = (
            select(_PAYMENT)
            .where(JournalPayment.chain == self.chain, JournalPayment.state.in_([s.value for s in states]))
            .order_by(JournalPayment.at_ms, JournalPayment.payment)
        )
        return self._read(lambda connection: [as_entry(row) for row in connection.execute(query)])

    def refunds_of(self, original: TransactionId) -> Sequence[Entry]:
        """Every refund ever begun for a payment, oldest first."""
        return self._read(lambda connection: _refunds(connection, original))

    def _open(self, connection: Connection, opening: Opening) -> Entry:
        first = {
            "request": opening.request,
            "fingerprint": opening.fingerprint,
            "amount_minor": opening.amount.minor,
            "currency": opening.amount.currency,
            "original": opening.original,
            **opening.facts,
        }
        at_ms = self._chain.append(connection, opening.payment, (State.NEW, first))
        values = {
            "payment": opening.payment,
            "chain": self.chain,
            "request": opening.request,
            "fingerprint": opening.fingerprint,
            "original": opening.original,
            "state": State.NEW.value,
            "amount_minor": opening.amount.minor,
            "currency": opening.amount.currency,
            "account": None,
            "wire": opening.facts.get("wire"),
            "till": opening.facts.get("till"),
            "at_ms": at_ms,
            "receipt": None,
            "moved_at_ms": None,
            "body": canonical(opening.facts),
        }
        _INSERT_PAYMENT.run(connection, values)
        return Entry(
            payment=opening.payment,
            request=opening.request,
            fingerprint=opening.fingerprint,
            state=State.NEW,
            amount=opening.amount,
            account=None,
            at_ms=at_ms,
            facts=dict(opening.facts),
            original=opening.original,
        )

    def _walk(self, connection: Connection, entry: Entry, steps: Sequence[Step]) -> Entry:
        state, known = entry.state, dict(entry.facts)
        for step in steps:
            require_step(state, step.state)
            state = step.state
            known.update(step.facts)
        at_ms = self._chain.append(connection, entry.payment, *((step.state, step.facts) for step in steps))
        account = known.get("account")
        moved = {
            "of_payment": entry.payment,
            "to_state": state.value,
            "to_body": canonical(known),
            "to_account": account,
            "to_receipt": known.get("receipt"),
            "to_moved_at_ms": at_ms if state in MONEY_MOVED else None,
        }
        _MOVE_PAYMENT.run(connection, moved)
        named = str(account) if account is not None else None
        return replace(entry, state=state, account=named, facts=known)

    def _write(self, work: Callable[[Connection], Result], *states: State) -> Result:
        self._observer("before", states)
        result = self._write_row(work)
        self._observer("after", states)
        return result

    def _write_row(self, work: Callable[[Connection], Result]) -> Result:
        with self._lock:
            try:
                return self._commit(work)
            except IntegrityError:
                # Another process wrote to this chain or began the same request; look again, once.
                try:
                    return self._commit(work)
                except IntegrityError as error:
                    raise JournalUnavailable(f"the journal refused the row: {error.orig}") from error

    def _commit(self, work: Callable[[Connection], Result]) -> Result:
        committed = False
        try:
            with self._engine.begin() as connection:
                result = work(connection)
            committed = True
            return result
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise JournalUnavailable(f"the journal cannot be written: {error.orig}") from error
        finally:
            if not committed:
                self._chain.forget()

    def _read(self, work: Callable[[Connection], Result]) -> Result:
        try:
            with self._reader.connect() as connection:
                return work(connection)
        except DBAPIError as error:
            raise JournalUnavailable(f"the journal cannot be read: {error.orig}") from error


def _find(connection: Connection, payment: str, *, lock: bool = False) -> Entry | None:
    query = _BY_PAYMENT_LOCKED if lock else _BY_PAYMENT
    row = query.run(connection, {"payment": payment}).one_or_none()
    return None if row is None else as_entry(row)


def _find_request(connection: Connection, request: str) -> Entry | None:
    row = _BY_REQUEST.run(connection, {"request": request}).one_or_none()
    return None if row is None else as_entry(row)


def _require(connection: Connection, payment: TransactionId, *, lock: bool = False) -> Entry:
    entry = _find(connection, payment, lock=lock)
    if entry is None:
        raise UnknownPayment(f"the journal has no payment {payment}")
    return entry


def _refunds(connection: Connection, original: TransactionId) -> list[Entry]:
    query = select(_PAYMENT).where(JournalPayment.original == original)
    ordered = query.order_by(JournalPayment.at_ms, JournalPayment.payment)
    return [as_entry(row) for row in connection.execute(ordered)]
