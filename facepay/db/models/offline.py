"""Table of payments taken while the provider was out of reach, to be forwarded to it later."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from facepay.db.base import Base


class OfflinePayment(Base):
    """One order taken on the terminal's own risk; `key` forwards it once."""

    __tablename__ = "offline_payment"
    __table_args__ = (Index(None, "payer", "stage"),)

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    payer: Mapped[str] = mapped_column(String(120))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    captured_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str] = mapped_column(String(3))
    payee: Mapped[str] = mapped_column(String(200))
    terminal: Mapped[str] = mapped_column(String(64))
    request: Mapped[str] = mapped_column(String(200))
    stage: Mapped[str] = mapped_column(String(10), index=True)
    reason: Mapped[str | None] = mapped_column(String(40))
    taken_at_ms: Mapped[int] = mapped_column(BigInteger)
    forwarded_at_ms: Mapped[int | None] = mapped_column(BigInteger)
