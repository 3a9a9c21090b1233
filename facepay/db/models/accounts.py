"""Tables of the payers' accounts: what they set for themselves, their PIN record, and lock-outs.

What an account has spent is not kept here: it is read off the journal, which nobody can forget to update.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from facepay.db.base import Base


class PayerAccountRow(Base):
    """What an account's holder has set; `pin` is the record of `keys.pins`, never the PIN.

    `payer` is the payment provider's name of who pays; None: the account's own. `card_entry` is the
    provider's id of a card that is being entered.
    """

    __tablename__ = "payer_account"

    account: Mapped[str] = mapped_column(String(64), primary_key=True)
    payer: Mapped[str | None] = mapped_column(String(160))
    card_entry: Mapped[str | None] = mapped_column(String(160))
    pin: Mapped[str | None] = mapped_column(String(160))
    preference: Mapped[str] = mapped_column(String(16), default="none")
    limit_payment_minor: Mapped[int | None] = mapped_column(BigInteger)
    limit_day_minor: Mapped[int | None] = mapped_column(BigInteger)
    opened_at_ms: Mapped[int] = mapped_column(BigInteger)


class LockoutRow(Base):
    """Failures in a row of one account, terminal or merchant, and when the next try is allowed."""

    __tablename__ = "lockout"

    scope: Mapped[str] = mapped_column(String(10), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column()
    not_before_ms: Mapped[int] = mapped_column(BigInteger)
    off: Mapped[bool] = mapped_column(default=False)
    at_ms: Mapped[int] = mapped_column(BigInteger)
