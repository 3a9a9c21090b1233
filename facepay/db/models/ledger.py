"""Tables of the prepaid wallet: accounts, double-entry transactions, holds.

The database itself refuses a negative balance of a payer, a payee or a pool of holds. Only an
`outside` account (where money enters and leaves the books) may go below zero: it is the mirror of
all the others, so that the sum over all accounts of a currency is always 0.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from facepay.db.base import Base

# SQLite numbers rows by itself only when the key is declared INTEGER.
RowNumber = BigInteger().with_variant(Integer, "sqlite")


class LedgerAccount(Base):
    """One account of the books; `balance_minor` is the sum of its entries, kept in step by every posting."""

    __tablename__ = "ledger_account"
    __table_args__ = (CheckConstraint("kind = 'outside' OR balance_minor >= 0", name="no_negative_balance"),)

    account: Mapped[str] = mapped_column(String(80), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    currency: Mapped[str] = mapped_column(String(3))
    balance_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    closed: Mapped[bool] = mapped_column(default=False)
    opened_at_ms: Mapped[int] = mapped_column(BigInteger)


class LedgerTransaction(Base):
    """One balanced posting; `key` makes it happen once, `fingerprint` refuses the key for anything else."""

    __tablename__ = "ledger_transaction"

    transaction: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    fingerprint: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(String(200))
    posted_at_ms: Mapped[int] = mapped_column(BigInteger)


class LedgerEntry(Base):
    """One leg of a transaction: positive adds to the account, negative takes from it."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="moves_something"),
        Index(None, "account", "entry"),
    )

    entry: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    transaction: Mapped[int] = mapped_column(ForeignKey("ledger_transaction.transaction"), index=True)
    account: Mapped[str] = mapped_column(ForeignKey("ledger_account.account"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)


class LedgerHold(Base):
    """One order the wallet was asked to authorise, and what became of it."""

    __tablename__ = "ledger_hold"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    payer: Mapped[str] = mapped_column(String(80), index=True)
    payee: Mapped[str] = mapped_column(String(80))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    captured_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str] = mapped_column(String(3))
    stage: Mapped[str] = mapped_column(String(10), index=True)
    reason: Mapped[str | None] = mapped_column(String(40))
    held_at_ms: Mapped[int] = mapped_column(BigInteger)
