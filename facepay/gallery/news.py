"""Which payers' references came or went, so that other processes take over a change and not a gallery.

Each change has a number, and the last few are kept with the payer they were about. Whoever looks reads one
row; where it has moved on, the payers behind the missing numbers are looked at. A number that is not in the
list, because it was dropped or came from an older version of the program, leads to the whole list once.
"""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from facepay.db.models.subjects import GalleryChangeRow, GalleryRow
from facepay.types import SubjectId

KEPT = 500
"""Changes that stay in the list; who missed more, such as a terminal that was off, compares everything."""


def count_changes(session: Session, tenant: str) -> int:
    """How often the references of a tenant changed; the same number means the same references."""
    row = session.get(GalleryRow, tenant)
    return row.changes if row else 0


def note_change(session: Session, tenant: str, subject: SubjectId) -> None:
    """Tell other processes that a payer's references came or went, in the transaction that does it."""
    if session.get(GalleryRow, tenant) is None:
        # Another process may be making the row at this moment; whoever comes second counts on in it.
        with suppress(IntegrityError), session.begin_nested():
            session.execute(insert(GalleryRow).values(tenant=tenant, changes=0))
    query = update(GalleryRow).where(GalleryRow.tenant == tenant)
    # The row stays locked until the transaction ends, so the numbers come without gaps and in order.
    number = session.scalar(query.values(changes=GalleryRow.changes + 1).returning(GalleryRow.changes)) or 0
    session.execute(insert(GalleryChangeRow).values(tenant=tenant, number=number, subject=subject))
    of_tenant = GalleryChangeRow.tenant == tenant
    session.execute(delete(GalleryChangeRow).where(of_tenant, GalleryChangeRow.number <= number - KEPT))


def changed_subjects(
    session: Session, tenant: str, since: int | None, until: int
) -> frozenset[SubjectId] | None:
    """The payers of the changes after `since` up to `until`; None where the list does not have them all.

    `since` is None for somebody who never looked: their list of everything comes first.
    """
    if since is None or not 0 <= until - since <= KEPT:
        return None
    query = select(GalleryChangeRow.subject).where(
        GalleryChangeRow.tenant == tenant, GalleryChangeRow.number > since, GalleryChangeRow.number <= until
    )
    found = session.scalars(query).all()
    return frozenset(map(SubjectId, found)) if len(found) == until - since else None
