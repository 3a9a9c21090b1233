"""One tenant's gallery: the database of sealed references and the matcher, kept in step.

An erasure leaves the matcher first, then destroys the data keys, then removes the rows; a power cut
in between is finished at the next start. Other processes may enrol and erase meanwhile: `refresh`
takes over what they did.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import replace

from facepay.audit import AuditEvent, AuditLog
from facepay.db.session import Database
from facepay.db.transaction import reading
from facepay.db.wrapping import may_wrap, register_keys
from facepay.errors import KeyRetired, ModelMismatch, NotEnrolled, ReferenceUnreadable
from facepay.gallery import news, rows
from facepay.gallery.base import Matcher
from facepay.gallery.digits import DigitsIndex
from facepay.gallery.opening import Opened, open_in_parts, open_references, without_collection
from facepay.gallery.records import EnrolledSubject, Erased, NewSubject
from facepay.gallery.roll import Roll
from facepay.gallery.rows import StoredReference
from facepay.gallery.sealing import AT_ONCE, as_sealed, seal_deposit, seal_reference
from facepay.types import CandidateList, Probe, Reference, SubjectId
from keys.base import KeyStore
from keys.errors import KeyUnavailable
from keys.strict_json import Json

OTHER_KEYS = (
    "no enrolled reference opens: this key store is not the one the payers were enrolled with; "
    "set keys.uri to it or restore it from its backup"
)
ALL_ALTERED = (
    "no enrolled reference opens, though their keys are here: the database's rows were altered, or moved "
    "between payers or tenants; set terminal.tenant to the one they were enrolled under, or restore the "
    "database"
)
ATTEMPTS = 5
"""Rotations that an enrolment may run into before it gives up."""


class Gallery:
    """The payers of one tenant."""

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        matcher: Matcher,
        tenant: str,
        *,
        audit: AuditLog | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._audit = audit
        self._database = database
        self._keys = keys
        self._matcher = matcher
        self._tenant = tenant
        self._digits = DigitsIndex(keys, tenant)
        self._now_ms = now_ms
        self._roll = Roll()
        self._changes: int | None = None
        self._lock = threading.Lock()
        self.unreadable: tuple[SubjectId, ...] = ()
        """Payers left out because a reference of theirs does not open; an operator has to look."""

    @property
    def size(self) -> int:
        """How many payers can be found by their face."""
        return self._roll.payers

    def references(self, among: frozenset[SubjectId] | None = None) -> int:
        """How many references a search compares; the threshold depends on it."""
        return self._roll.references if among is None else self._roll.count(among)

    def load(self) -> int:
        """Finish interrupted erasures, open every reference into the matcher; how many payers there are.

        Raises:
            ModelMismatch: references were made by another recogniser than the matcher's.
            ReferenceUnreadable: not one reference opens, so the key store is not this database's.
        """
        unfinished: set[SubjectId] = set()

        def living(stored: Iterable[StoredReference]) -> Iterator[StoredReference]:
            for row in stored:
                if row.wrapped == rows.ERASED:
                    unfinished.add(SubjectId(row.subject))
                elif row.mode == rows.GALLERY:
                    yield row

        with self._lock, without_collection(), self._database.read() as session:
            # Read before the references, so that a change in between is looked at the next time.
            changes = news.count_changes(session, self._tenant)
            stored = rows.stream_references(session, self._tenant, AT_ONCE)
            self._take(open_in_parts(living(stored), self._keys), first=True)
            self._changes = changes
        for subject in unfinished:
            self.erase(subject)
        return self.size

    def refresh(self) -> int:
        """Take over what changed in the database since the last look; how many payers there are now.

        The work grows with the changes and not with the gallery, unless so many were missed that the
        list of them does not reach back.
        """
        with self._lock:
            with self._database.read() as session:
                changes = news.count_changes(session, self._tenant)
                if changes == self._changes:
                    return self.size
                changed = news.changed_subjects(session, self._tenant, self._changes, changes)
                held = self._roll.ids(changed)
                present = rows.reference_ids(session, self._tenant, changed)
                missing = present.keys() - {reference for ids in held.values() for reference in ids}
                missing -= self._skipped(present)
                sealed = rows.read_references(session, self._tenant, missing) if missing else []
            for subject in [subject for subject, ids in held.items() if not present.keys() >= {*ids}]:
                self._forget(subject)
            self._take([open_references(sealed, self._keys)], first=not self.size)
            self._changes = changes
            return self.size

    def _skipped(self, present: dict[str, SubjectId]) -> set[str]:
        return {reference for reference, subject in present.items() if subject in self.unreadable}

    def _take(self, parts: Iterable[Opened], *, first: bool) -> None:
        """Make references searchable as they are opened; payers of whom one does not open are left out."""
        broken: set[SubjectId] = set()
        references, lacks_keys = 0, False
        for opened in parts:
            self._require_model(opened.models)
            self._hold(opened.whole)
            references += len(opened.references)
            broken |= opened.broken
            lacks_keys |= opened.lacks_keys
        if first and broken and not references:
            raise ReferenceUnreadable(OTHER_KEYS if lacks_keys else ALL_ALTERED)
        for subject in broken:
            self._forget(subject)
        self.unreadable = (*self.unreadable, *sorted(broken))
        if self._audit and references:
            self._audit.note(AuditEvent.UNSEALED, detail={"references": references})

    def _hold(self, references: Sequence[Reference]) -> None:
        self._matcher.add(references)
        self._roll.enter(references)

    def _require_model(self, models: Set[str]) -> None:
        others = models - {self._matcher.model}
        if others:
            raise ModelMismatch(
                f"payers were enrolled with the recogniser {sorted(others)[0][:12]}, the model pack in use "
                f"has {self._matcher.model[:12]}: choose the former pack in recognition.pack, or enrol anew"
            )

    def enrol(self, new: NewSubject) -> EnrolledSubject:
        """Seal and store a payer, then make them searchable, unless their template is in their own hands."""
        index = self._digits.index_of(new.digits) if new.digits else None
        with self._lock:
            for _ in range(ATTEMPTS):
                with suppress(KeyRetired):
                    self._insert(new, index)
                    break
                # The wrapping key was retired meanwhile: look at the key store again, then seal anew.
                with self._database.begin() as session:
                    register_keys(session, self._keys, self._now_ms())
            else:
                raise KeyRetired("the wrapping key changes faster than a payer can be sealed; try again")
            self._hold([as_sealed(reference) for reference in new.references])
        return new.enrolled

    def _insert(self, new: NewSubject, index: str | None) -> None:
        subject = new.enrolled.subject
        try:
            sealed = [seal_reference(reference, self._tenant, self._keys) for reference in new.references]
            if new.deposit:
                sealed.append(seal_deposit(new.deposit, subject, self._tenant, self._keys))
        except KeyUnavailable as error:
            raise KeyRetired(str(error)) from error
        with self._database.begin() as session:
            if not all(may_wrap(session, row.wrapping_key) for row in sealed):
                raise KeyRetired("a reference was sealed under a key that was retired meanwhile")
            rows.insert_subject(session, self._tenant, new.enrolled, index)
            rows.insert_consent(session, self._tenant, subject, new.consent)
            session.add_all(sealed)
            news.note_change(session, self._tenant, subject)
            if self._audit:
                detail: dict[str, Json] = {
                    "references": len(sealed),
                    "origin": new.enrolled.origin,
                    "mode": new.enrolled.mode.value,
                }
                self._audit.record(session, AuditEvent.ENROLLED, subject=subject, detail=detail)

    def erase(self, subject: SubjectId) -> Erased:
        """Forget a payer: out of the search, data keys overwritten, rows removed; what was destroyed.

        Raises:
            NotEnrolled: there is no such payer.
        """
        with self._lock:
            self._forget(subject)
            with self._database.begin() as session:
                if not rows.select_subjects(session, self._tenant, subject=subject):
                    raise NotEnrolled(f"nobody is enrolled as {subject}")
            if self._audit:
                self._audit.prepare(subject)
            with self._database.begin() as session:
                erased = rows.destroy_keys(session, self._tenant, subject)
                news.note_change(session, self._tenant, subject)
                if self._audit:
                    detail = {"references": erased.references}
                    position = self._audit.record(session, AuditEvent.ERASED, subject=subject, detail=detail)
                    erased = replace(erased, audit_position=position)
            self._database.erase_traces()
            with self._database.begin() as session:
                rows.delete_subject(session, self._tenant, subject, self._now_ms())
                if self._audit:
                    self._audit.forget(session, subject)
            self._database.erase_traces()
        return erased

    def wrapped_digests(self) -> frozenset[str]:
        """SHA-256 of every wrapped data key in the database, to compare with a deletion receipt."""
        with self._database.begin() as session:
            found = rows.select_references(session, self._tenant)
            return frozenset(hashlib.sha256(row.wrapped).hexdigest() for row in found)

    def record_identified(self, subject: SubjectId, terminal: str) -> None:
        """Write down that this payer was looked for and found, for their own extract."""
        # A log of somebody who has just withdrawn would need a new key of theirs.
        if self._audit and self.find_subject(subject) is not None:
            self._audit.note(AuditEvent.IDENTIFIED, subject=subject, detail={"terminal": terminal})

    def _forget(self, subject: SubjectId) -> None:
        self._matcher.remove(subject)
        self._roll.strike(subject)

    def find_subject(self, subject: SubjectId) -> EnrolledSubject | None:
        """The payer of a pseudonym, as the database has it now."""
        with reading(self._database.engine) as connection:
            return rows.find_subject(connection, self._tenant, subject)

    def find_account(self, account: str) -> EnrolledSubject | None:
        """The payer of an account."""
        with self._database.read() as session:
            found = rows.select_subjects(session, self._tenant, account=account)
        return rows.enrolled_of(found[0]) if found else None

    def subjects(self) -> tuple[EnrolledSubject, ...]:
        """Every payer, oldest enrolment first."""
        with self._database.read() as session:
            return tuple(rows.enrolled_of(row) for row in rows.select_subjects(session, self._tenant))

    def candidates_for(self, digits: str) -> frozenset[SubjectId]:
        """Whose digits these are."""
        index = self._digits.index_of(digits)
        with self._database.read() as session:
            return rows.subjects_with_digits(session, self._tenant, index)

    def flag_look_alike(self, subject: SubjectId) -> None:
        """Remember that somebody else looks like this payer, so that the face alone is never enough."""
        with self._database.begin() as session:
            rows.set_look_alike(session, self._tenant, subject)

    def search(self, probe: Probe, among: frozenset[SubjectId] | None = None) -> CandidateList:
        """The two most similar payers, best first; `among` narrows the search."""
        return self._matcher.search(probe, 2, among)
