"""Rotation of the wrapping key under load: every data key moves under a new key, the payers stay.

A renewal is a rotation whose new key is marked in the table: what leaves an older key gets a fresh data key
and a new ciphertext as well. The mark is on the key, so whatever rotation comes next goes on with it.

    new key in the key store -> active there, the old one decrypt-only -> the table follows
    -> rows re-wrapped in batches -> nothing left under the old key -> its destruction is due after a grace

Each step is durable and can be repeated, so a rotation killed anywhere is finished by the next call. Sales
go on: a reader opens rows under both keys, a writer that used the old key is refused and seals again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from facepay.db.models.audit import SubjectKeyRow
from facepay.db.models.keys import WrappingKeyRow
from facepay.db.models.subjects import ConsentRow, ReferenceRow
from facepay.db.session import Database
from facepay.db.wrapping import keys_to_renew, may_wrap, register_keys, rewrap_subject_key
from facepay.errors import KeyRetired, ReferenceUnreadable
from facepay.gallery.rows import COLUMNS, ERASED, StoredReference
from facepay.gallery.sealing import resealed, rewrapped
from keys.base import KeyStore
from keys.errors import KeyStateError
from keys.strict_json import Json
from keys.types import KeyId, KeyState, KeyUse, WrappedKey

log = logging.getLogger(__name__)

_OF_ROW = update(ReferenceRow.__table__).where(  # type: ignore[arg-type]
    ReferenceRow.reference == bindparam("moved")
)
_MOVE = _OF_ROW.values(wrapping_key=bindparam("key"), wrapped=bindparam("blob"))
_RENEW = _MOVE.values(body=bindparam("sealed"), record_version=ReferenceRow.record_version + 1)
Change = dict[str, object]
"""Values of one row for `_MOVE` or `_RENEW`."""
BATCH = 1_000
OWED_MS = 12 * 60 * 60 * 1000
"""How long an erasure waits for the rotation that kills the backups; others join it meanwhile."""
GRACE_MS = 60 * 60 * 1000
"""How long a retired key without rows stays, so that a reader that holds an old row still opens it."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did: the key in use now, how many rows moved, and which rows do not open.

    `renewed` of the moved were sealed anew under a fresh data key of their own.
    """

    active: KeyId
    moved: int
    unreadable: tuple[str, ...]
    renewed: int = 0

    def facts(self) -> dict[str, Json]:
        """What the audit log and the operator are told."""
        counts: dict[str, Json] = {"moved": self.moved, "renewed": self.renewed}
        return {"active": self.active, **counts, "left_behind": len(self.unreadable)}

    def and_then(self, more: Rotated) -> Rotated:
        """Both together, under the later key."""
        unreadable = self.unreadable + more.unreadable
        return Rotated(more.active, self.moved + more.moved, unreadable, self.renewed + more.renewed)


class Rotation:
    """Rotates the wrapping key of one database and its key store."""

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        *,
        grace_ms: int = GRACE_MS,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._database = database
        self._keys = keys
        self._grace_ms = grace_ms
        self._now_ms = now_ms

    def rotate(self, new: KeyId | None = None) -> Rotated:
        """Make a new wrapping key, or take the pending key `new`, and move everything under it."""
        new = new or self._pending() or self._keys.generate(KeyUse.WRAP)
        try:
            self._keys.advance(new, KeyState.ACTIVE)
        except KeyStateError:
            # Another rotation took the same pending key and was faster; both move the rows under it.
            log.info("key %s was made active by another rotation", new)
        return self.resume()

    def resume(self) -> Rotated:
        """Finish a rotation that was interrupted; does nothing when there is none."""
        with self._database.begin() as session:
            active = register_keys(session, self._keys, self._now_ms())
        done = Rotated(active, 0, ())
        while True:
            try:
                batch = self._move_batch(active, done.unreadable)
            except KeyRetired:
                # Somebody else rotated meanwhile; what is left is moved under the newest key.
                return self.resume()
            done = done.and_then(batch)
            if not batch.moved and not batch.unreadable:
                break
        self._move_subject_keys(active)
        self._settle_retired()
        self._database.erase_traces()
        return done

    def rotate_if_owed(self) -> Rotated | None:
        """Rotate where the first erasure under the active key is `OWED_MS` old; None where nothing is owed.

        Erasures share a rotation, which comes early enough for the old key to be destroyed within a day.
        """
        with self._database.read() as session:
            active = select(WrappingKeyRow.changed_at_ms).where(WrappingKeyRow.state == KeyState.ACTIVE.name)
            since_ms = session.scalar(active.order_by(WrappingKeyRow.changed_at_ms.desc()).limit(1))
            erased = select(func.min(ConsentRow.withdrawn_at_ms))
            first_ms = session.scalar(erased.where(ConsentRow.withdrawn_at_ms >= (since_ms or 0)))
        if first_ms is None or self._now_ms() - first_ms < OWED_MS:
            return None
        return self.rotate()

    def due(self) -> tuple[KeyId, ...]:
        """Retired keys that wrap nothing any more and whose grace is over."""
        query = select(WrappingKeyRow.key).where(
            WrappingKeyRow.state == KeyState.DECRYPT_ONLY.name,
            WrappingKeyRow.destroy_after_ms <= self._now_ms(),
        )
        with self._database.begin() as session:
            return tuple(KeyId(key) for key in session.scalars(query))

    def _pending(self) -> KeyId | None:
        wanted = KeyUse.WRAP, KeyState.PENDING
        return next((r.key for r in self._keys.records() if (r.use, r.state) == wanted), None)

    def _move_batch(self, active: KeyId, broken: Collection[str]) -> Rotated:
        with self._database.begin() as session:
            if not may_wrap(session, active):
                raise KeyRetired(f"key {active} was retired while rows were moved under it")
            # Rows are looked up by the keys they leave, so that moved ones are never looked at again.
            others = session.scalars(select(WrappingKeyRow.key).where(WrappingKeyRow.key != active)).all()
            query = select(*COLUMNS).where(
                ReferenceRow.wrapping_key.in_(others),
                ReferenceRow.wrapped != ERASED,
                ReferenceRow.reference.not_in(broken),
            )
            stale = keys_to_renew(session, self._keys)
            moved, renewed, unreadable = list[Change](), list[Change](), list[str]()
            for row in map(StoredReference._make, session.execute(query.limit(BATCH).with_for_update())):
                try:
                    if row.wrapping_key in stale:
                        envelope = resealed(row, self._keys, active)
                        renewed.append(_change(row, envelope.wrapped) | {"sealed": envelope.body})
                    else:
                        moved.append(_change(row, rewrapped(row, self._keys, active)))
                except ReferenceUnreadable as error:
                    log.error("rotation leaves a row behind: %s", error)
                    unreadable.append(row.reference)
            for statement, changes in ((_MOVE, moved), (_RENEW, renewed)):
                if changes:
                    session.connection().execute(statement, changes)
            return Rotated(active, len(moved) + len(renewed), tuple(unreadable), len(renewed))

    def _move_subject_keys(self, active: KeyId) -> None:
        while True:
            with self._database.begin() as session:
                query = select(SubjectKeyRow).where(SubjectKeyRow.wrapping_key != active)
                found = session.scalars(query.limit(BATCH).with_for_update()).all()
                for row in found:
                    rewrap_subject_key(row, self._keys, active)
            if not found:
                return

    def _settle_retired(self) -> None:
        with self._database.begin() as session:
            query = select(WrappingKeyRow).where(
                WrappingKeyRow.state == KeyState.DECRYPT_ONLY.name, WrappingKeyRow.destroy_after_ms.is_(None)
            )
            for row in session.scalars(query).all():
                if not rows_under(session, row.key):
                    row.destroy_after_ms = self._now_ms() + self._grace_ms


def _change(row: StoredReference, wrapped: WrappedKey) -> Change:
    return {"moved": row.reference, "key": wrapped.key, "blob": wrapped.blob}


def rows_under(session: Session, key: str) -> int:
    """How many living references and subject keys a key wraps."""
    query = select(func.count()).select_from(ReferenceRow)
    query = query.where(ReferenceRow.wrapping_key == key, ReferenceRow.wrapped != ERASED)
    subjects = select(func.count()).select_from(SubjectKeyRow).where(SubjectKeyRow.wrapping_key == key)
    return (session.scalar(query) or 0) + (session.scalar(subjects) or 0)


def mark_destroyed(session: Session, key: str, now_ms: int) -> None:
    """Record that the key store destroyed a key."""
    query = update(WrappingKeyRow).where(WrappingKeyRow.key == key)
    session.execute(query.values(state=KeyState.DESTROYED.name, changed_at_ms=now_ms))
