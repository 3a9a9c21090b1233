"""When each terminal last closed its day."""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from facepay.db.base import Base


class PeriodRow(Base):
    """The start of the period a terminal's totals are about, in Unix milliseconds."""

    __tablename__ = "period"

    terminal: Mapped[str] = mapped_column(String(64), primary_key=True)
    since_ms: Mapped[int] = mapped_column(BigInteger)
