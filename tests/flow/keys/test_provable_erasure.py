"""A payer is erased: the bytes are gone from the files, the receipt proves it, a backup dies with its key."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from facepay.audit import AuditLog
from facepay.db.models.audit import AuditEntryRow, SubjectKeyRow
from facepay.db.session import Database, open_database
from facepay.erasure import Erasure, Verifier
from facepay.errors import AuditBroken, DatabaseFault, NotEnrolled, ReceiptRefused
from facepay.gallery import Consent, EnrolledSubject, Gallery, NewSubject, new_account, new_id
from facepay.gallery.rotation import Rotation
from facepay.gallery.rows import select_references
from facepay.gallery.sealing import unseal_all
from facepay.types import CandidateList, ModelId, Probe, Reference, ReferenceId, SubjectId
from keys import MemoryKeyStore
from keys.types import KeyState

MODEL = ModelId("ab" * 32)


class SetMatcher:
    model = MODEL

    def __init__(self) -> None:
        self.subjects: set[str] = set()

    def add(self, references: list[Reference]) -> None:
        self.subjects |= {reference.subject for reference in references}

    def remove(self, subject: SubjectId) -> int:
        self.subjects.discard(subject)
        return 1

    def search(self, probe: Probe, count: int = 2, among: object = None) -> CandidateList:
        return ()


class Shop:
    def __init__(self, database: Database, keys: MemoryKeyStore) -> None:
        self.database, self.keys, self.matcher = database, keys, SetMatcher()
        self.audit = AuditLog(database, keys, "shop", actor="T1")
        self.gallery = Gallery(database, keys, self.matcher, "shop", audit=self.audit)
        self.erasure = Erasure(self.gallery, self.audit, keys)
        self.verifier = Verifier(self.gallery, self.audit, keys)

    def enrol(self) -> SubjectId:
        subject = SubjectId(new_id())
        features = np.random.default_rng(1).normal(size=512).astype(np.float32)
        features /= np.linalg.norm(features)
        references = tuple(Reference(ReferenceId(new_id()), subject, features, MODEL) for _ in range(3))
        enrolled = EnrolledSubject(subject, new_account(), 1, "replay", "test", 1)
        self.gallery.enrol(NewSubject(enrolled, references, Consent("1", "en", "0" * 64, 1)))
        return subject


@contextmanager
def opened(folder: Path, keys: MemoryKeyStore) -> Iterator[Shop]:
    database = open_database(f"sqlite:///{folder}/f.db")
    try:
        yield Shop(database, keys)
    finally:
        database.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with MemoryKeyStore() as keys, opened(tmp_path, keys) as made:
        yield made


def secrets_of(shop: Shop, subject: SubjectId) -> list[bytes]:
    with shop.database.begin() as session:
        rows = [r for r in select_references(session, "shop") if r.subject == subject]
        keys = session.query(SubjectKeyRow).filter_by(subject=subject).all()
        return [b for r in rows for b in (r.wrapped, r.body)] + [k.wrapped for k in keys]


def bytes_on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("f.db*")))


def test_no_byte_of_the_payer_is_left_in_database_or_log(shop: Shop, tmp_path: Path) -> None:
    subject, other = shop.enrol(), shop.enrol()
    secrets = secrets_of(shop, subject)
    assert len(secrets) == 7
    assert all(secret in bytes_on_disk(tmp_path) for secret in secrets)
    shop.erasure.erase(subject)
    left = bytes_on_disk(tmp_path)
    # Any stretch of an old key or ciphertext would do harm, so pieces are searched too.
    pieces = [s[i : i + 24] for s in secrets for i in range(0, len(s) - 24, 24)]
    assert not [piece for piece in pieces if piece in left]
    assert shop.matcher.subjects == {other}
    assert all(secret in left for secret in secrets_of(shop, other))


def test_a_receipt_verifies_and_names_what_was_destroyed(shop: Shop) -> None:
    subject = shop.enrol()
    token = shop.erasure.erase(subject)
    finding = shop.verifier.verify(token, subject)
    assert len(finding.receipt.digests) == 3
    assert finding.wrapping_keys == {shop.keys.active_key: "ACTIVE"}
    assert not finding.backups_dead


def test_a_backup_dies_with_the_key_it_was_wrapped_under(shop: Shop, tmp_path: Path) -> None:
    subject, other = shop.enrol(), shop.enrol()
    shop.database.erase_traces()
    (tmp_path / "backup").mkdir()
    shutil.copy(tmp_path / "f.db", tmp_path / "backup" / "f.db")
    token, old = shop.erasure.erase(subject), shop.keys.active_key

    def opens(which: SubjectId) -> bool:
        with opened(tmp_path / "backup", shop.keys) as restored, restored.database.begin() as session:
            rows = [r for r in select_references(session, "shop") if r.subject == which]
            assert rows
            return all(isinstance(result, Reference) for _, result in unseal_all(rows, shop.keys))

    # This is what the receipt cannot speak for until the key is destroyed.
    assert opens(subject)
    Rotation(shop.database, shop.keys, grace_ms=0).rotate()
    shop.keys.advance(old, KeyState.DESTROYED)
    assert not opens(subject)
    assert not opens(other)
    assert shop.verifier.verify(token, subject).backups_dead
    with shop.database.begin() as session:
        rows = select_references(session, "shop")
    assert {r.subject for r in rows} == {other}
    assert all(isinstance(result, Reference) for _, result in unseal_all(rows, shop.keys))


def test_a_receipt_survives_later_entries_and_a_new_signing_key(shop: Shop) -> None:
    from keys.types import KeyUse

    subject = shop.enrol()
    token = shop.erasure.erase(subject)
    for _ in range(4):
        shop.enrol()
    shop.keys.advance(shop.keys.generate(KeyUse.SIGN), KeyState.ACTIVE)
    shop.audit.checkpoint()
    shop.verifier.verify(token, subject)
    assert shop.audit.verify() == 6


def test_another_payers_receipt_and_a_changed_one_are_refused(shop: Shop) -> None:
    subject, other = shop.enrol(), shop.enrol()
    token = shop.erasure.erase(subject)
    with pytest.raises(ReceiptRefused, match="another payer"):
        shop.verifier.verify(token, other)
    for at in range(0, len(token), 7):
        with pytest.raises(ReceiptRefused):
            shop.verifier.verify(token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :])


def test_a_receipt_is_refused_when_the_keys_come_back(shop: Shop, tmp_path: Path) -> None:
    subject = shop.enrol()
    shop.database.erase_traces()
    (tmp_path / "backup").mkdir()
    shutil.copy(tmp_path / "f.db", tmp_path / "backup" / "f.db")
    token = shop.erasure.erase(subject)
    with opened(tmp_path / "backup", shop.keys) as restored, pytest.raises(ReceiptRefused):
        restored.verifier.verify(token, subject)


def test_erasing_nobody_is_named(shop: Shop) -> None:
    with pytest.raises(NotEnrolled):
        shop.erasure.erase(SubjectId("00" * 16))


def test_the_extract_tells_a_payer_who_looked_for_them_and_not_of_others(shop: Shop) -> None:
    subject, other = shop.enrol(), shop.enrol()
    shop.gallery.record_identified(subject, "T1")
    shop.gallery.record_identified(other, "T1")
    events = [entry.event for entry in shop.audit.extract(subject)]
    assert events == ["enrolled", "identified"]
    assert shop.audit.extract(subject)[-1].event == "extracted"


def test_after_erasure_the_log_stands_and_leads_to_nobody(shop: Shop) -> None:
    subject = shop.enrol()
    shop.gallery.record_identified(subject, "T1")
    shop.erasure.erase(subject)
    assert shop.audit.extract(subject) == ()
    assert shop.audit.verify() == 3
    with shop.database.begin() as session:
        leaves = b"".join(row.leaf for row in session.query(AuditEntryRow).all())
    assert subject.encode() not in leaves


def test_entries_cannot_be_changed_and_a_change_behind_our_back_is_found(shop: Shop) -> None:
    shop.enrol()
    shop.enrol()
    shop.audit.checkpoint()
    with pytest.raises(DatabaseFault), shop.database.begin() as session:
        session.query(AuditEntryRow).delete()
    with shop.database.begin() as session:
        connection = session.connection()
        connection.exec_driver_sql("DROP TRIGGER audit_entry_no_delete")
        connection.exec_driver_sql("DELETE FROM audit_entry WHERE position = 1")
    with pytest.raises(AuditBroken, match="had 2 entries"):
        shop.audit.verify()
