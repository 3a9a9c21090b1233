"""The wallet as a payment provider: holds move money into a pool, captures move it on to the payee."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from sqlalchemy import Connection, Engine, Row, bindparam, insert, select, update

from facepay.db.base import Base
from facepay.db.engine import reader_of
from facepay.db.models.ledger import LedgerAccount, LedgerEntry, LedgerHold, LedgerTransaction
from facepay.psp.base import (
    Answer,
    Authorisation,
    Booked,
    BookedKind,
    IdempotencyKey,
    KeyReused,
    Movement,
    Order,
    Reason,
    RefundOrder,
    Stage,
)
from facepay.psp.ledger.books import Leg, Posting, post, require_account, transact
from pos_adapter.types import Money

# Built once, see `books`.
_HOLD = Base.metadata.tables[LedgerHold.__tablename__]
_ACCOUNT = Base.metadata.tables[LedgerAccount.__tablename__]
_HOLD_OF = select(_HOLD).where(_HOLD.c.key == bindparam("of_key")).with_for_update()
_ACCOUNT_OF = select(_ACCOUNT).where(_ACCOUNT.c.account == bindparam("of_account")).with_for_update()
_INSERT_HOLD = insert(_HOLD)


class LedgerProvider:
    """`PaymentProvider` and `RefundProvider` on the wallet's tables; thread-safe, keeps no state."""

    def __init__(self, engine: Engine, *, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._now_ms = now_ms

    def authorise(self, order: Order) -> Authorisation:
        """Hold the amount in the payer's account, or decline."""
        unsure = Authorisation(order, Answer.UNKNOWN, Stage.NONE)

        def work(connection: Connection) -> Authorisation:
            known = _find(connection, order)
            if known is not None:
                return _as_authorisation(order, known)
            reason = _refusal(connection, order)
            _record(connection, order, Stage.NONE if reason else Stage.HELD, reason, self._now_ms())
            if reason is None:
                self._post(connection, order, "hold", ((order.payer, -1), (_pool(order), 1)), order.amount)
            return _as_authorisation(order, _require(connection, order))

        return transact(self._engine, work, uncertain=unsure)

    def find(self, order: Order) -> Authorisation | None:
        """What became of the order; None if the wallet never saw its key."""

        def work(connection: Connection) -> Authorisation | None:
            known = _find(connection, order)
            return None if known is None else _as_authorisation(order, known)

        return transact(self._engine, work)

    def capture(self, order: Order, amount: Money) -> Movement:
        """Move up to the held amount to the payee and the rest back to the payer."""

        def work(connection: Connection) -> Movement:
            hold = _find(connection, order)
            if hold is None or hold.stage not in {Stage.HELD.value, Stage.CAPTURED.value}:
                return Movement(order.key, Answer.DECLINED, amount, reason=Reason.NOT_HELD)
            if hold.stage == Stage.CAPTURED.value:
                same = hold.captured_minor == amount.minor
                return _movement(order, amount, None if same else Reason.TOO_MUCH)
            if not 0 < amount.minor <= hold.amount_minor or amount.currency != hold.currency:
                return Movement(order.key, Answer.DECLINED, amount, reason=Reason.TOO_MUCH)
            self._capture(connection, order, amount)
            return _movement(order, amount, None)

        return transact(self._engine, work, uncertain=Movement(order.key, Answer.UNKNOWN, amount))

    def void(self, order: Order) -> Movement:
        """Move a hold back to the payer; bar the key where there is none."""

        def work(connection: Connection) -> Movement:
            hold = _find(connection, order)
            if hold is None:
                _record(connection, order, Stage.VOIDED, Reason.VOIDED, self._now_ms())
            elif hold.stage == Stage.CAPTURED.value:
                return _movement(order, order.amount, Reason.NOT_HELD)
            elif hold.stage == Stage.HELD.value:
                self._post(connection, order, "void", ((_pool(order), -1), (order.payer, 1)), order.amount)
                _set(connection, order, stage=Stage.VOIDED.value)
            return _movement(order, order.amount, None)

        return transact(self._engine, work, uncertain=Movement(order.key, Answer.UNKNOWN, order.amount))

    def refund(self, refund: RefundOrder) -> Movement:
        """Move money from the payee back to the payer, never more in sum than was captured."""

        def work(connection: Connection) -> Movement:
            return self._refund(connection, refund)

        return transact(self._engine, work, uncertain=Movement(refund.key, Answer.UNKNOWN, refund.amount))

    def booked(self, since: datetime, until: datetime) -> Iterator[Booked]:
        """Captures and refunds of the wallet's own books in the half-open span."""
        # The payee's leg is what moved, seen from the shop: + for a capture, - for a refund.
        query = (
            select(LedgerTransaction, LedgerEntry.amount_minor, LedgerAccount.currency)
            .join(LedgerEntry, LedgerEntry.transaction == LedgerTransaction.transaction)
            .join(LedgerAccount, LedgerAccount.account == LedgerEntry.account)
            .where(
                LedgerTransaction.kind.in_(["capture", "refund"]),
                LedgerAccount.kind == "payee",
                LedgerTransaction.posted_at_ms >= int(since.timestamp() * 1000),
                LedgerTransaction.posted_at_ms < int(until.timestamp() * 1000),
            )
            .order_by(LedgerTransaction.transaction)
        )
        with reader_of(self._engine).connect() as connection:
            for row in connection.execute(query):
                key = IdempotencyKey(row.key.removesuffix("/capture"))
                amount = Money(abs(row.amount_minor), row.currency)
                yield Booked(key, BookedKind(row.kind), amount, f"ledger-{row.transaction}")

    def _post(
        self,
        connection: Connection,
        order: Order,
        kind: str,
        signs: tuple[tuple[str, int], ...],
        amount: Money,
    ) -> None:
        legs = tuple(Leg(account, sign * amount.minor) for account, sign in signs)
        key = f"{order.key}/{kind}"
        text = f"{kind} {order.payee}"[:200]
        post(connection, Posting(key, kind, order.fingerprint, text, amount.currency, legs), self._now_ms())

    def _capture(self, connection: Connection, order: Order, amount: Money) -> None:
        payee = _payee(order)
        require_account(connection, payee, "payee", amount.currency, self._now_ms())
        self._post(connection, order, "capture", ((_pool(order), -1), (payee, 1)), amount)
        rest = order.amount.minor - amount.minor
        if rest:
            back = Money(rest, amount.currency)
            self._post(connection, order, "release", ((_pool(order), -1), (order.payer, 1)), back)
        _set(connection, order, stage=Stage.CAPTURED.value, captured_minor=amount.minor)

    def _refund(self, connection: Connection, refund: RefundOrder) -> Movement:
        order, amount = refund.original, refund.amount
        done = connection.scalar(
            select(LedgerTransaction.fingerprint).where(LedgerTransaction.key == refund.key)
        )
        if done is not None:
            if done != refund.fingerprint:
                raise KeyReused("refund: the key was used before for something else")
            return Movement(refund.key, Answer.APPROVED, amount, refund.key)
        hold = _find(connection, order)
        if hold is None or hold.stage != Stage.CAPTURED.value:
            return Movement(refund.key, Answer.DECLINED, amount, reason=Reason.NOT_HELD)
        if hold.refunded_minor + amount.minor > hold.captured_minor:
            return Movement(refund.key, Answer.DECLINED, amount, reason=Reason.TOO_MUCH)
        if _balance(connection, _payee(order)) < amount.minor:
            return Movement(refund.key, Answer.DECLINED, amount, reason=Reason.INSUFFICIENT_FUNDS)
        legs = (Leg(_payee(order), -amount.minor), Leg(order.payer, amount.minor))
        text = f"refund {order.payee}"[:200]
        posting = Posting(refund.key, "refund", refund.fingerprint, text, amount.currency, legs)
        post(connection, posting, self._now_ms())
        _set(connection, order, refunded_minor=hold.refunded_minor + amount.minor)
        return Movement(refund.key, Answer.APPROVED, amount, refund.key)


def _pool(order: Order) -> str:
    return f"held:{order.amount.currency}"


def _payee(order: Order) -> str:
    return f"payee:{order.payee}:{order.amount.currency}"


def _find(connection: Connection, order: Order) -> Row[tuple[LedgerHold]] | None:
    hold = connection.execute(_HOLD_OF, {"of_key": order.key}).one_or_none()
    if hold is not None and hold.fingerprint != order.fingerprint:
        raise KeyReused("the key was used before for another order")
    return hold


def _require(connection: Connection, order: Order) -> Row[tuple[LedgerHold]]:
    hold = _find(connection, order)
    assert hold is not None  # noqa: S101 - just written in this transaction
    return hold


def _set(connection: Connection, order: Order, **values: object) -> None:
    connection.execute(update(LedgerHold).where(LedgerHold.key == order.key).values(**values))


def _balance(connection: Connection, account: str) -> int:
    query = select(LedgerAccount.balance_minor).where(LedgerAccount.account == account)
    return connection.scalar(query.with_for_update()) or 0


def _refusal(connection: Connection, order: Order) -> Reason | None:
    account = connection.execute(_ACCOUNT_OF, {"of_account": order.payer}).one_or_none()
    if account is None or account.closed or account.kind != "payer":
        return Reason.NO_ACCOUNT
    if account.currency != order.amount.currency:
        return Reason.WRONG_CURRENCY
    return Reason.INSUFFICIENT_FUNDS if account.balance_minor < order.amount.minor else None


def _record(connection: Connection, order: Order, stage: Stage, reason: Reason | None, at_ms: int) -> None:
    require_account(connection, _pool(order), "pool", order.amount.currency, at_ms)
    hold = {
        "key": order.key,
        "fingerprint": order.fingerprint,
        "payer": order.payer,
        "payee": _payee(order),
        "amount_minor": order.amount.minor,
        "captured_minor": 0,
        "refunded_minor": 0,
        "currency": order.amount.currency,
        "stage": stage.value,
        "reason": reason.value if reason else None,
        "held_at_ms": at_ms,
    }
    connection.execute(_INSERT_HOLD, hold)


def _as_authorisation(order: Order, hold: Row[tuple[LedgerHold]]) -> Authorisation:
    stage = Stage(hold.stage)
    reason = Reason(hold.reason) if hold.reason else None
    if stage is Stage.VOIDED:
        return Authorisation(order, Answer.DECLINED, stage, order.key, reason or Reason.VOIDED)
    answer = Answer.APPROVED if reason is None else Answer.DECLINED
    return Authorisation(order, answer, stage, order.key, reason)


def _movement(order: Order, amount: Money, reason: Reason | None) -> Movement:
    answer = Answer.APPROVED if reason is None else Answer.DECLINED
    return Movement(order.key, answer, amount, order.key, reason)
