"""What was forwarded to the shop's card terminal; append-only in use, and free of card data."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from facepay.db.base import Base


class ForwardRow(Base):
    """One step of one forward: `request` is the till's key, `state` started, answered or failed."""

    __tablename__ = "forward"

    forward: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    terminal: Mapped[str] = mapped_column(String(64))
    request: Mapped[str] = mapped_column(String(200), index=True)
    state: Mapped[str] = mapped_column(String(10))
    detail: Mapped[str] = mapped_column(String(200))
    at_ms: Mapped[int] = mapped_column(BigInteger)
