"""Tables of the audit log: entries that only grow, signed heads, and a key per subject.

The personal part of an entry is sealed under the subject's key. Erasure destroys that row, and the entries
stay in the log, unreadable and not linkable to anybody.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Connection, ForeignKey, LargeBinary, String, Table, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from facepay.db.base import Base
from facepay.db.models.journal import append_only_ddl


class AuditEntryRow(Base):
    """One entry: `leaf` is the bytes that are hashed, `hash` its RFC 6962 leaf hash."""

    __tablename__ = "audit_entry"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditCheckpointRow(Base):
    """A signed head of the log at `size` entries, as a C2SP note."""

    __tablename__ = "audit_checkpoint"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    note: Mapped[str] = mapped_column(Text)


class SubjectKeyRow(Base):
    """The key that seals a subject's personal fields in the audit log, wrapped by the key store."""

    __tablename__ = "subject_key"

    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    wrapping_key: Mapped[str] = mapped_column(ForeignKey("wrapping_key.key"), index=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)


APPEND_ONLY = ("audit_entry", "audit_checkpoint")


def _make_append_only(table: Table, connection: Connection, **_: object) -> None:
    for statement in append_only_ddl(table.name, connection.dialect.name):
        connection.exec_driver_sql(statement)


for _name in APPEND_ONLY:
    event.listen(Base.metadata.tables[_name], "after_create", _make_append_only)
