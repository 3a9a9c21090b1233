"""Table of what outside providers call our orders, so that a hold can be found again for ever."""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from facepay.db.base import Base


class ProviderOrder(Base):
    """One order or refund given to a provider, by our key, with the provider's own id of it."""

    __tablename__ = "provider_order"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    provider: Mapped[str] = mapped_column(String(20))
    fingerprint: Mapped[str] = mapped_column(String(64))
    reference: Mapped[str] = mapped_column(String(120))
    stage: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(10))
    original: Mapped[str | None] = mapped_column(String(200), index=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    at_ms: Mapped[int] = mapped_column(BigInteger, index=True)
