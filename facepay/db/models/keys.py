"""Tables of the wrapping keys: which may wrap new data keys, and which statements were used up.

The key store holds the keys; these rows hold what a transaction has to check. A reference can only be
inserted under a key that is here and active, so a writer that sleeps through a rotation cannot bring a
retired key back.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, String, false
from sqlalchemy.orm import Mapped, mapped_column

from facepay.db.base import Base


class WrappingKeyRow(Base):
    """One wrapping key of the key store; `state` is a `keys.KeyState` by name.

    `destroy_after_ms` is set once nothing is wrapped under a retired key any more. `renews` marks the first
    key of a renewal: what leaves an older key is not only wrapped but sealed anew.
    """

    __tablename__ = "wrapping_key"

    key: Mapped[str] = mapped_column(String(16), primary_key=True)
    state: Mapped[str] = mapped_column(String(12), index=True)
    changed_at_ms: Mapped[int] = mapped_column(BigInteger)
    destroy_after_ms: Mapped[int | None] = mapped_column(BigInteger)
    renews: Mapped[bool] = mapped_column(default=False, server_default=false())


class UsedStatementRow(Base):
    """A signed statement that was acted on; inserting it twice fails, which is the protection from replay."""

    __tablename__ = "used_statement"

    signer: Mapped[str] = mapped_column(String(16), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at_s: Mapped[int] = mapped_column(BigInteger, index=True)
