"""The log of one tenant: a Merkle tree (RFC 6962) over entries, with heads signed as C2SP checkpoints.

An entry is written in the transaction of the deed it records. What names a person is sealed under that
person's key, and the person appears only as a tag that the same key makes; destroying the key at erasure
leaves the entry, its place and its proof, and nothing that leads to anybody.
"""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from facepay.audit.events import AuditEvent
from facepay.audit.heads import Heads
from facepay.audit.subjects import SubjectKeys
from facepay.db.models.audit import AuditCheckpointRow, AuditEntryRow
from facepay.db.session import Database
from facepay.db.wrapping import register_keys
from facepay.errors import AuditBroken, KeyRetired
from facepay.types import SubjectId
from keys.base import KeyStore
from keys.merkle import inclusion_proof, leaf_hash
from keys.strict_json import Json, decode_object, encode_json

LEAF_LIMIT = 16 * 1024
ATTEMPTS = 5
"""Rotations that an entry may run into before it gives up."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Inclusion:
    """An entry's place in the log, with the proof that it stands there under the signed head."""

    position: int
    leaf_hash: bytes
    proof: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Extract:
    """One entry as the person it concerns may read it."""

    position: int
    at_ms: int
    event: str
    actor: str
    detail: Mapping[str, Json]


class AuditLog:
    """Writes and proves the log. `origin` names it in checkpoints, without spaces."""

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        tenant: str,
        *,
        actor: str,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._database = database
        self._keys = keys
        self._tenant = tenant
        self._actor = actor
        self._now_ms = now_ms
        self._subjects = SubjectKeys(keys, tenant)
        self.origin = f"facepay/{tenant}/audit".replace(" ", "-").replace("+", "-")
        self._heads = Heads(keys, self.origin)

    def record(
        self,
        session: Session,
        event: AuditEvent,
        *,
        subject: SubjectId | None = None,
        detail: Mapping[str, Json] | None = None,
    ) -> int:
        """Add an entry in the caller's transaction; `detail` is sealed if it concerns a subject."""
        position = self._next_position(session)
        entry: dict[str, Json] = {"at": self._now_ms(), "event": event.value, "actor": self._actor}
        if subject is None:
            entry["detail"] = detail or {}
        else:
            with self._subjects.key_of(session, subject) as key:
                entry["tag"] = self._subjects.tag(key)
                plain = encode_json({"subject": subject, "detail": detail or {}})
                entry["sealed"] = base64.b64encode(self._subjects.seal(key, position, plain)).decode()
        leaf = encode_json(entry)
        session.add(AuditEntryRow(tenant=self._tenant, position=position, leaf=leaf, hash=leaf_hash(leaf)))
        session.flush()
        return position

    def note(
        self, event: AuditEvent, *, subject: SubjectId | None = None, detail: Mapping[str, Json] | None = None
    ) -> int:
        """Add an entry in a transaction of its own."""
        return self._again(lambda session: self.record(session, event, subject=subject, detail=detail))

    def prepare(self, subject: SubjectId) -> None:
        """Make the subject's key where there is none, before a transaction that records something."""

        def make(session: Session) -> None:
            with self._subjects.key_of(session, subject):
                pass

        self._again(make)

    def _again(self, deed: Callable[[Session], T]) -> T:
        for _ in range(ATTEMPTS):
            try:
                with self._database.begin() as session:
                    return deed(session)
            except KeyRetired:
                with self._database.begin() as session:
                    register_keys(session, self._keys, self._now_ms())
        raise KeyRetired("the wrapping key changes faster than an entry can be sealed; try again")

    def checkpoint(self) -> str:
        """The signed head of the log as it is now; signs one if there are new entries.

        Raises AuditBroken when the log does not extend the last signed head.
        """
        hashes = self._hashes()
        with self._database.begin() as session:
            query = select(AuditCheckpointRow).where(AuditCheckpointRow.tenant == self._tenant)
            last = session.scalars(query.order_by(AuditCheckpointRow.size.desc()).limit(1)).first()
        if last is not None:
            self._heads.require_extends(last.note, hashes)
            if last.size == len(hashes):
                return last.note
        note = self._heads.sign(hashes)
        with self._database.begin() as session:
            session.add(AuditCheckpointRow(tenant=self._tenant, size=len(hashes), note=note))
        return note

    def inclusion(self, position: int) -> Inclusion:
        """Prove an entry under the head as it is now."""
        note = self.checkpoint()
        hashes = self._hashes()[: self._heads.verified(note).size]
        proof = tuple(inclusion_proof(hashes, position))
        return Inclusion(position, hashes[position], proof, note)

    def require_consistent(self, note: str) -> None:
        """Raise AuditBroken unless the log still extends the head that `note` signed."""
        self._heads.require_extends(note, self._hashes())

    def verify(self) -> int:
        """Check every entry's hash and every signed head against the log; how many entries there are.

        Raises AuditBroken at the first that does not hold.
        """
        with self._database.begin() as session:
            query = select(AuditEntryRow).where(AuditEntryRow.tenant == self._tenant)
            rows = session.scalars(query.order_by(AuditEntryRow.position)).all()
            notes = session.scalars(
                select(AuditCheckpointRow.note).where(AuditCheckpointRow.tenant == self._tenant)
            ).all()
        for expected, row in enumerate(rows):
            if row.position != expected or leaf_hash(row.leaf) != row.hash:
                raise AuditBroken(f"entry {expected} of the audit log was altered or removed")
        hashes = [row.hash for row in rows]
        for note in notes:
            self._heads.require_extends(note, hashes)
        return len(rows)

    def extract(self, subject: SubjectId) -> tuple[Extract, ...]:
        """Who looked for this person: their own entries, and those that touched every reference at once."""
        with self._database.begin() as session:
            key = self._subjects.find_key(session, subject)
            query = select(AuditEntryRow).where(AuditEntryRow.tenant == self._tenant)
            rows = session.scalars(query.order_by(AuditEntryRow.position)).all()
            if key is None:
                return ()
            with key:
                tag = self._subjects.tag(key.material)
                found = [self._read(row, tag, key.material) for row in rows]
            self.record(session, AuditEvent.EXTRACTED, subject=subject)
        return tuple(entry for entry in found if entry is not None)

    def last_detail(self, event: AuditEvent) -> Mapping[str, Json]:
        """The detail of the newest entry of an event that concerns no subject; empty when there is none."""
        query = select(AuditEntryRow.leaf).where(AuditEntryRow.tenant == self._tenant)
        with self._database.begin() as session:
            for leaf in session.scalars(query.order_by(AuditEntryRow.position.desc())):
                entry = decode_object(leaf, LEAF_LIMIT)
                detail = entry.get("detail")
                if entry["event"] == event.value and isinstance(detail, dict):
                    return detail
        return {}

    def forget(self, session: Session, subject: SubjectId) -> None:
        """Destroy the subject's key: their entries stay in the log and lead to nobody."""
        self._subjects.destroy(session, subject)

    def _read(self, row: AuditEntryRow, tag: str, key: bytearray) -> Extract | None:
        entry = decode_object(row.leaf, LEAF_LIMIT)
        match entry:
            case {"tag": str(theirs), "sealed": str(sealed)}:
                if not hmac.compare_digest(theirs, tag):
                    return None
                opened = self._subjects.unseal(key, row.position, base64.b64decode(sealed))
                detail = decode_object(bytes(opened), LEAF_LIMIT).get("detail")
            case {"event": AuditEvent.UNSEALED.value, "detail": detail}:
                pass
            case _:
                return None
        at_ms = entry["at"] if isinstance(entry["at"], int) else 0
        return Extract(
            row.position,
            at_ms,
            str(entry["event"]),
            str(entry["actor"]),
            detail if isinstance(detail, dict) else {},
        )

    def _next_position(self, session: Session) -> int:
        if session.get_bind().dialect.name == "postgresql":
            # SQLite's transactions are writers one after the other; here the table is held instead.
            session.execute(text("LOCK TABLE audit_entry IN SHARE ROW EXCLUSIVE MODE"))
        query = select(func.max(AuditEntryRow.position)).where(AuditEntryRow.tenant == self._tenant)
        last = session.scalar(query)
        return 0 if last is None else last + 1

    def _hashes(self) -> list[bytes]:
        query = select(AuditEntryRow.hash).where(AuditEntryRow.tenant == self._tenant)
        with self._database.begin() as session:
            return list(session.scalars(query.order_by(AuditEntryRow.position)))
