"""What the owner of the wallet does at its desk: open accounts, top up, pay out, print statements."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select, update

from facepay.db.engine import reader_of
from facepay.db.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from facepay.psp.base import IdempotencyKey as Key
from facepay.psp.base import PayerToken, require_key, require_positive
from facepay.psp.ledger.books import Leg, Posting, Shortfall, UnknownAccount, post, require_account, transact
from pos_adapter.types import Money


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line of an account's statement: `minor` is signed, `balance_minor` is after the line."""

    at_ms: int
    kind: str
    text: str
    minor: int
    balance_minor: int


class Wallet:
    """The desk of the prepaid wallet; `now_ms` gives UTC milliseconds since 1970."""

    def __init__(self, engine: Engine, *, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._now_ms = now_ms

    def open_account(self, payer: PayerToken, currency: str) -> None:
        """Open a payer's account with nothing in it; opening it again changes nothing."""

        def work(connection: Connection) -> None:
            require_account(connection, payer, "payer", currency, self._now_ms())

        transact(self._engine, work)

    def close_account(self, payer: PayerToken) -> None:
        """Refuse every further payment from the account; money back to it still arrives."""

        def work(connection: Connection) -> None:
            connection.execute(
                update(LedgerAccount).where(LedgerAccount.account == payer).values(closed=True)
            )

        transact(self._engine, work)

    def top_up(self, payer: PayerToken, amount: Money, key: Key, text: str = "top-up") -> None:
        """Add money that came in from outside (cash, a bank transfer), once per key."""
        self._across(payer, amount, key, "top_up", text)

    def pay_out(self, payer: PayerToken, amount: Money, key: Key, text: str = "pay-out") -> None:
        """Hand money back to the outside, once per key.

        Raises:
            Shortfall: The account does not hold that much.
        """
        self._across(payer, amount, key, "pay_out", text)

    def balance(self, payer: PayerToken) -> Money:
        """What the payer can spend now; amounts on hold are already off it."""
        with reader_of(self._engine).connect() as connection:
            row = connection.execute(
                select(LedgerAccount.balance_minor, LedgerAccount.currency).where(
                    LedgerAccount.account == payer
                )
            ).one_or_none()
        if row is None:
            raise UnknownAccount(f"there is no account {payer}")
        return Money(row.balance_minor, row.currency)

    def statement(self, account: str) -> Iterator[StatementLine]:
        """Every line of an account in booking order, with the running balance."""
        lines = (
            select(
                LedgerTransaction.posted_at_ms,
                LedgerTransaction.kind,
                LedgerTransaction.text,
                LedgerEntry.amount_minor,
            )
            .join(LedgerTransaction, LedgerTransaction.transaction == LedgerEntry.transaction)
            .where(LedgerEntry.account == account)
            .order_by(LedgerEntry.entry)
        )
        balance = 0
        with reader_of(self._engine).connect() as connection:
            for at_ms, kind, text, minor in connection.execute(lines):
                balance += minor
                yield StatementLine(at_ms, kind, text, minor, balance)

    def require_books_balance(self) -> None:
        """Prove the books: every transaction adds up to 0, and every balance is the sum of its entries.

        Raises:
            Shortfall: They do not; the text names the first transaction or account that is off.
        """
        crooked = (
            select(LedgerEntry.transaction)
            .group_by(LedgerEntry.transaction)
            .having(func.sum(LedgerEntry.amount_minor) != 0)
        )
        total = func.coalesce(func.sum(LedgerEntry.amount_minor), 0)
        drifted = (
            select(LedgerAccount.account)
            .outerjoin(LedgerEntry, LedgerEntry.account == LedgerAccount.account)
            .group_by(LedgerAccount.account, LedgerAccount.balance_minor)
            .having(total != LedgerAccount.balance_minor)
        )
        with reader_of(self._engine).connect() as connection:
            for what, query in (("transaction", crooked), ("account", drifted)):
                found = connection.execute(query).first()
                if found is not None:
                    raise Shortfall(f"{what} {found[0]} does not add up")

    def _across(self, payer: PayerToken, amount: Money, key: Key, kind: str, text: str) -> None:
        require_key(key)
        require_positive(amount)
        sign = 1 if kind == "top_up" else -1
        outside = f"outside:{amount.currency}"
        fingerprint = hashlib.sha256(f"{kind}\x1f{payer}\x1f{amount.minor}\x1f{amount.currency}".encode())
        legs = (Leg(payer, sign * amount.minor), Leg(outside, -sign * amount.minor))
        posting = Posting(key, kind, fingerprint.hexdigest(), text, amount.currency, legs)

        def work(connection: Connection) -> None:
            require_account(connection, outside, "outside", amount.currency, self._now_ms())
            post(connection, posting, self._now_ms())

        transact(self._engine, work)
