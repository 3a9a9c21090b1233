"""The gallery's statements to the database, each inside the caller's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, select, update
from sqlalchemy.orm import Session

from facepay.db.models.subjects import ConsentRow, ReferenceRow, SubjectRow
from facepay.gallery.records import Consent, EnrolledSubject, Erased
from facepay.types import SubjectId, TemplateMode

NAMED_ONE_BY_ONE = 500
"""Up to so many ids stand in a statement; a database takes some thousands at most."""
GALLERY = TemplateMode.GALLERY.value
ERASED = b""
"""What a destroyed data key and its ciphertext are overwritten with."""

# Built once, over plain columns: this one stands between a shopper's last frame and the decision.
_ONE_SUBJECT = select(SubjectRow.__table__).where(
    SubjectRow.tenant == bindparam("of_tenant"), SubjectRow.subject == bindparam("of_subject")
)


def insert_subject(session: Session, tenant: str, new: EnrolledSubject, digits_index: str | None) -> None:
    """Add a payer without references."""
    row = SubjectRow(
        subject=new.subject,
        tenant=tenant,
        enrolled_at_ms=new.enrolled_at_ms,
        origin=new.origin,
        camera_class=new.camera_class,
        liveness_level=new.liveness_level,
        digits_index=digits_index,
        look_alike=new.look_alike,
        account=new.account,
        mode=new.mode.value,
    )
    session.add(row)
    # References point to it, so it has to be there before they are.
    session.flush()


def insert_consent(session: Session, tenant: str, subject: SubjectId, consent: Consent) -> None:
    """Record what a payer agreed to."""
    session.add(
        ConsentRow(
            subject=subject,
            purpose=consent.purpose,
            tenant=tenant,
            version=consent.version,
            language=consent.language,
            text_sha256=consent.text_sha256,
            given_at_ms=consent.given_at_ms,
        )
    )


def select_references(session: Session, tenant: str) -> Sequence[ReferenceRow]:
    """The sealed references of a tenant whose keys are not destroyed, of whatever mode."""
    query = select(ReferenceRow).where(ReferenceRow.tenant == tenant, ReferenceRow.wrapped != ERASED)
    return session.scalars(query.order_by(ReferenceRow.subject)).all()


class StoredReference(NamedTuple):
    """The columns of one sealed reference; much faster to read in thousands than mapped rows."""

    reference: str
    subject: str
    tenant: str
    model: str
    dimensions: int
    record_version: int
    wrapping_key: str
    wrapped: bytes
    body: bytes
    mode: str


COLUMNS = [ReferenceRow.__table__.c[name] for name in StoredReference._fields]
"""What a `StoredReference` is made from; the table's own columns, past the mapper."""


def stream_references(session: Session, tenant: str, at_once: int) -> Iterator[StoredReference]:
    """Every sealed reference of a tenant, of whatever mode and half erased ones among them.

    They come in one pass and few at a time: the transaction stays open, and the memory used stays small.
    """
    query = select(*COLUMNS).where(ReferenceRow.tenant == tenant)
    return map(StoredReference._make, session.execute(query.execution_options(yield_per=at_once)))


def read_references(session: Session, tenant: str, among: Collection[str]) -> list[StoredReference]:
    """The sealed references of these ids, to be opened and not changed."""
    query = select(*COLUMNS).where(*_searchable(tenant))
    if len(among) <= NAMED_ONE_BY_ONE:
        query = query.where(ReferenceRow.reference.in_(list(among)))
    found = map(StoredReference._make, session.execute(query))
    return [made for made in found if made.reference in among]


def read_payers(session: Session, tenant: str, among: Collection[SubjectId]) -> list[StoredReference]:
    """The sealed references of a few payers, to be opened and not changed."""
    query = select(*COLUMNS).where(*_searchable(tenant), ReferenceRow.subject.in_(list(among)))
    return list(map(StoredReference._make, session.execute(query)))


def reference_ids(
    session: Session, tenant: str, among: Collection[SubjectId] | None = None
) -> dict[str, SubjectId]:
    """The ids of a tenant's living references in the gallery and whose they are; `among` names few payers."""
    query = select(ReferenceRow.reference, ReferenceRow.subject).where(*_searchable(tenant))
    if among is not None:
        query = query.where(ReferenceRow.subject.in_(list(among)))
    return {reference: SubjectId(subject) for reference, subject in session.execute(query)}


def find_deposit(session: Session, tenant: str, reference: str) -> ReferenceRow | None:
    """What the shop keeps of a template in a shopper's hands; None where it was erased or never was."""
    query = select(ReferenceRow).where(ReferenceRow.tenant == tenant, ReferenceRow.reference == reference)
    query = query.where(ReferenceRow.mode != GALLERY, ReferenceRow.wrapped != ERASED)
    return session.scalars(query).first()


def _searchable(tenant: str) -> tuple[ColumnElement[bool], ...]:
    return ReferenceRow.tenant == tenant, ReferenceRow.wrapped != ERASED, ReferenceRow.mode == GALLERY


def select_subjects(
    session: Session, tenant: str, *, subject: str = "", account: str = ""
) -> list[SubjectRow]:
    """Payers of a tenant, all or the one that is named."""
    query = select(SubjectRow).where(SubjectRow.tenant == tenant).order_by(SubjectRow.enrolled_at_ms)
    if subject:
        query = query.where(SubjectRow.subject == subject)
    if account:
        query = query.where(SubjectRow.account == account)
    return list(session.scalars(query))


def find_subject(connection: Connection, tenant: str, subject: SubjectId) -> EnrolledSubject | None:
    """The payer of a pseudonym."""
    row = connection.execute(_ONE_SUBJECT, {"of_tenant": tenant, "of_subject": subject}).one_or_none()
    return enrolled_of(row) if row else None


def enrolled_of(row: SubjectRow | Row[tuple[object, ...]]) -> EnrolledSubject:
    """The payer in a row."""
    return EnrolledSubject(
        subject=SubjectId(row.subject),
        account=row.account,
        enrolled_at_ms=row.enrolled_at_ms,
        origin=row.origin,
        camera_class=row.camera_class,
        liveness_level=row.liveness_level,
        look_alike=row.look_alike,
        mode=TemplateMode(row.mode),
    )


def subjects_with_digits(session: Session, tenant: str, digits_index: str) -> frozenset[SubjectId]:
    """Whose digits have this blind index."""
    query = select(SubjectRow.subject)
    query = query.where(SubjectRow.tenant == tenant, SubjectRow.digits_index == digits_index)
    return frozenset(SubjectId(subject) for subject in session.scalars(query))


def set_look_alike(session: Session, tenant: str, subject: SubjectId) -> None:
    """Remember that somebody else looks like this payer."""
    query = update(SubjectRow).where(SubjectRow.tenant == tenant, SubjectRow.subject == subject)
    session.execute(query.values(look_alike=True))


def destroy_keys(session: Session, tenant: str, subject: SubjectId) -> Erased:
    """Overwrite the data keys and ciphertexts of a payer."""
    found = session.scalars(
        select(ReferenceRow).where(ReferenceRow.tenant == tenant, ReferenceRow.subject == subject)
    ).all()
    wrapped = [(row.wrapping_key, hashlib.sha256(row.wrapped).hexdigest()) for row in found]
    for row in found:
        # Zeros of the same length take the place of the old bytes; secure_delete clears what is moved.
        row.wrapped, row.body = bytes(len(row.wrapped)), bytes(len(row.body))
    session.flush()
    for row in found:
        row.wrapped = row.body = ERASED
    session.flush()
    keys = tuple(sorted({key for key, _ in wrapped}))
    return Erased(len(found), tuple(digest for _, digest in wrapped), keys)


def delete_subject(session: Session, tenant: str, subject: SubjectId, withdrawn_at_ms: int) -> None:
    """Remove a payer; the consent stays, marked as withdrawn, as evidence that there was one."""
    of_subject = ReferenceRow.tenant == tenant, ReferenceRow.subject == subject
    session.execute(delete(ReferenceRow).where(*of_subject))
    session.execute(delete(SubjectRow).where(SubjectRow.tenant == tenant, SubjectRow.subject == subject))
    query = update(ConsentRow).where(ConsentRow.tenant == tenant, ConsentRow.subject == subject)
    session.execute(query.values(withdrawn_at_ms=withdrawn_at_ms))
