"""Tables of the enrolled payers: who agreed to what, their sealed references, their accounts.

No name, no picture and no plain template is stored. A reference is kept in the two parts of its
envelope, so that a rotation replaces the wrapped key alone and an erasure can overwrite it first.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from facepay.db.base import Base


class SubjectRow(Base):
    """One enrolled payer, by pseudonym.

    `digits_index` is a keyed blind index of digits that narrow a search, never the digits; `origin`
    is how the samples reached us (device, browser, replay), `camera_class` the kind of camera,
    `mode` where the template is kept (gallery, keyed, capsule).
    """

    __tablename__ = "subject"
    __table_args__ = (Index(None, "tenant", "digits_index"),)

    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    enrolled_at_ms: Mapped[int] = mapped_column(BigInteger)
    origin: Mapped[str] = mapped_column(String(10))
    camera_class: Mapped[str] = mapped_column(String(120))
    liveness_level: Mapped[int] = mapped_column()
    digits_index: Mapped[str | None] = mapped_column(String(64))
    look_alike: Mapped[bool] = mapped_column(default=False)
    mode: Mapped[str] = mapped_column(String(8), default="gallery", server_default="gallery")
    account: Mapped[str] = mapped_column(String(32), unique=True)


class ConsentRow(Base):
    """What a payer agreed to, in which version and language, and when it was withdrawn."""

    __tablename__ = "consent"

    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(40))
    language: Mapped[str] = mapped_column(String(8))
    text_sha256: Mapped[str] = mapped_column(String(64))
    given_at_ms: Mapped[int] = mapped_column(BigInteger)
    withdrawn_at_ms: Mapped[int | None] = mapped_column(BigInteger)


class ReferenceRow(Base):
    """One sealed reference; `wrapping_key` names the key store's key that wraps its data key.

    In a gallery row the sealed text is the features, in a keyed one what only the shopper's PIN and phone
    open, in a capsule's one the shop's share. The mode is bound into the seal.
    """

    __tablename__ = "reference"

    reference: Mapped[str] = mapped_column(String(32), primary_key=True)
    subject: Mapped[str] = mapped_column(ForeignKey("subject.subject"), index=True)
    tenant: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(64))
    dimensions: Mapped[int] = mapped_column()
    record_version: Mapped[int] = mapped_column(BigInteger)
    wrapping_key: Mapped[str] = mapped_column(ForeignKey("wrapping_key.key"), index=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    mode: Mapped[str] = mapped_column(String(8), default="gallery", server_default="gallery")


class GalleryRow(Base):
    """How often a tenant's references came or went, so that a look for news reads one row."""

    __tablename__ = "gallery"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    changes: Mapped[int] = mapped_column(BigInteger)


class GalleryChangeRow(Base):
    """Whose references a change was about; only the last few changes are kept."""

    __tablename__ = "gallery_change"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    subject: Mapped[str] = mapped_column(String(32))
