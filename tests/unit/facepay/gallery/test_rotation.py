from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facepay.db.session import Database, open_database
from facepay.errors import KeyRetired
from facepay.gallery import Consent, EnrolledSubject, Gallery, NewSubject, new_account, new_id
from facepay.gallery.rotation import Rotation, rows_under
from facepay.gallery.rows import select_references
from facepay.gallery.sealing import unseal_all
from facepay.types import CandidateList, ModelId, Probe, Reference, ReferenceId, SubjectId
from keys import MemoryKeyStore
from keys.errors import KeysError
from keys.types import KeyId, KeyState, KeyUse

MODEL = ModelId("ab" * 32)


class NoMatcher:
    model = MODEL

    def add(self, references: object) -> None: ...

    def remove(self, subject: SubjectId) -> int:
        return 0

    def search(self, probe: Probe, count: int = 2, among: object = None) -> CandidateList:
        return ()


class Sleeper(MemoryKeyStore):
    """A writer that still believes in an old key, like a process that slept through a rotation."""

    stuck: KeyId | None = None

    @property
    def active_key(self) -> KeyId:
        return self.stuck or super().active_key

    def wrap(self, data_key, context, *, under=None):  # type: ignore[no-untyped-def]
        if self.stuck:
            self._ring._keys[self.stuck].record = self.remembered  # type: ignore[has-type]
        return super().wrap(data_key, context, under=under)

    def fall_asleep(self) -> None:
        self.stuck = self.active_key
        self.remembered = next(r for r in self.records() if r.key == self.stuck)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/f.db")
    yield opened
    opened.close()


def new_payer() -> NewSubject:
    subject = SubjectId(new_id())
    reference = Reference(ReferenceId(new_id()), subject, np.full(64, 0.125, np.float32), MODEL)
    enrolled = EnrolledSubject(subject, new_account(), 1, "replay", "test", 1)
    return NewSubject(enrolled, (reference,), Consent("1", "en", "0" * 64, 1))


def states(keys: MemoryKeyStore) -> dict[KeyId, KeyState]:
    return {record.key: record.state for record in keys.records() if record.use is KeyUse.WRAP}


def test_a_rotation_moves_every_row_and_the_payers_still_open(database: Database) -> None:
    with MemoryKeyStore() as keys:
        gallery = Gallery(database, keys, NoMatcher(), "shop")
        for _ in range(12):
            gallery.enrol(new_payer())
        old = keys.active_key
        done = Rotation(database, keys, grace_ms=0).rotate()
        assert (done.moved, done.unreadable) == (12, ())
        assert states(keys)[old] is KeyState.DECRYPT_ONLY
        with database.begin() as session:
            assert rows_under(session, old) == 0
            rows = select_references(session, "shop")
        keys.advance(old, KeyState.DESTROYED)
        assert all(isinstance(result, Reference) for _, result in unseal_all(rows, keys))


def test_a_retired_key_is_due_only_after_its_grace(database: Database) -> None:
    with MemoryKeyStore() as keys:
        gallery, now = Gallery(database, keys, NoMatcher(), "shop"), [1_000]
        gallery.enrol(new_payer())
        old = keys.active_key
        rotation = Rotation(database, keys, grace_ms=500, now_ms=lambda: now[0])
        rotation.rotate()
        assert rotation.due() == ()
        now[0] += 500
        assert rotation.due() == (old,)


def test_a_writer_that_sleeps_through_a_rotation_cannot_insert(database: Database) -> None:
    with Sleeper() as keys:
        gallery = Gallery(database, keys, NoMatcher(), "shop")
        gallery.enrol(new_payer())
        keys.fall_asleep()
        new = keys.generate(KeyUse.WRAP)
        keys.advance(new, KeyState.ACTIVE)
        stuck, keys.stuck = keys.stuck, None
        Rotation(database, keys).resume()
        keys.stuck = stuck
        with pytest.raises(KeyRetired):
            gallery.enrol(new_payer())
        with database.begin() as session:
            assert len(select_references(session, "shop")) == 1
        keys.stuck = None
        gallery.enrol(new_payer())


def test_a_row_that_does_not_open_is_left_behind_and_named(database: Database) -> None:
    with MemoryKeyStore() as keys:
        gallery = Gallery(database, keys, NoMatcher(), "shop")
        for _ in range(3):
            gallery.enrol(new_payer())
        with database.begin() as session:
            row = select_references(session, "shop")[0]
            row.tenant = "another-shop"
            broken = row.reference
        done = Rotation(database, keys, grace_ms=0).rotate()
        assert done.unreadable == (broken,)
        assert done.moved == 2
        # What still needs the old key keeps it from being due.
        assert Rotation(database, keys).due() == ()


def test_rows_moved_between_tenants_open_for_nobody(database: Database) -> None:
    with MemoryKeyStore() as keys:
        gallery = Gallery(database, keys, NoMatcher(), "shop")
        gallery.enrol(new_payer())
        with database.begin() as session:
            select_references(session, "shop")[0].tenant = "other"
        with database.begin() as session:
            rows = select_references(session, "other")
        assert not any(isinstance(result, Reference) for _, result in unseal_all(rows, keys))


def test_a_reference_under_a_key_the_table_does_not_know_is_refused(database: Database) -> None:
    with MemoryKeyStore() as keys, MemoryKeyStore() as other:
        gallery = Gallery(database, keys, NoMatcher(), "shop")
        gallery.enrol(new_payer())
        with database.begin() as session:
            rows = select_references(session, "shop")
        results = [result for _, result in unseal_all(rows, other)]
        assert not any(isinstance(result, Reference) for result in results)
        assert not any(isinstance(result, KeysError) for result in results)
