"""Enrolment, rotation, audit and erasure on PostgreSQL: the same deeds, other locks."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from facepay.audit import AuditLog
from facepay.db.session import Database, open_database
from facepay.erasure import Erasure, Verifier
from facepay.gallery import Consent, EnrolledSubject, Gallery, NewSubject, new_account, new_id
from facepay.gallery.rotation import Rotation
from facepay.types import CandidateList, ModelId, Probe, Reference, ReferenceId, SubjectId
from keys import MemoryKeyStore

pytestmark = pytest.mark.postgresql
MODEL = ModelId("ab" * 32)


class NoMatcher:
    model = MODEL

    def add(self, references: object) -> None: ...

    def remove(self, subject: SubjectId) -> int:
        return 0

    def search(self, probe: Probe, count: int = 2, among: object = None) -> CandidateList:
        return ()


@pytest.fixture
def database(postgresql_url: str) -> Iterator[Database]:
    opened = open_database(postgresql_url)
    yield opened
    opened.close()


def enrol(gallery: Gallery) -> SubjectId:
    subject = SubjectId(new_id())
    reference = Reference(ReferenceId(new_id()), subject, np.full(64, 0.125, np.float32), MODEL)
    enrolled = EnrolledSubject(subject, new_account(), 1, "replay", "test", 1)
    gallery.enrol(NewSubject(enrolled, (reference,), Consent("1", "en", "0" * 64, 1)))
    return subject


def test_writers_and_a_rotation_at_once_leave_one_key_and_one_log(database: Database) -> None:
    with MemoryKeyStore() as keys:
        audit = AuditLog(database, keys, "pg-shop", actor="T1")
        gallery = Gallery(database, keys, NoMatcher(), "pg-shop", audit=audit)
        subjects = [enrol(gallery) for _ in range(5)]
        failures: list[BaseException] = []

        def write() -> None:
            try:
                # A gallery of its own, so that only the database keeps the writers apart.
                other = Gallery(database, keys, NoMatcher(), "pg-shop", audit=audit)
                for _ in range(10):
                    enrol(other)
            except BaseException as error:
                failures.append(error)

        writers = [threading.Thread(target=write) for _ in range(3)]
        for writer in writers:
            writer.start()
        rotation = Rotation(database, keys, grace_ms=0)
        for _ in range(3):
            rotation.rotate()
        for writer in writers:
            writer.join()
        assert failures == []
        final = rotation.rotate()
        assert not final.unreadable
        assert audit.verify() == 35
        token = Erasure(gallery, audit, keys).erase(subjects[0])
        Verifier(gallery, audit, keys).verify(token, subjects[0])
        assert len(gallery.subjects()) == 34
