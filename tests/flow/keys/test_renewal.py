"""A gallery that is sealed anew: fresh data keys and ciphertexts, the same faces, whatever is killed when."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facepay.audit import AuditEvent, AuditLog
from facepay.custody import Custody
from facepay.db.session import Database, open_database
from facepay.db.wrapping import register_keys
from facepay.errors import ApprovalMissing
from facepay.gallery import Deposit, EnrolledSubject, new_account, new_id, rotation, rows
from facepay.gallery.rotation import Rotated, Rotation
from facepay.gallery.rows import StoredReference
from facepay.gallery.sealing import SealedRow, seal_deposit, seal_reference, unseal_all, unseal_deposit
from facepay.types import ModelId, Reference, ReferenceId, SubjectId, TemplateMode
from keys import KeyStore, MemoryKeyStore
from keys.approvals import Action, approve
from keys.base import Wrapping
from keys.cobblestone import unseal_message
from keys.context import encode_context
from keys.envelope import MAGIC, SUITE, VERSION, Envelope
from keys.errors import KeysError
from keys.file_store import FileKeyStore
from keys.keystore_file import create_file_keystore, open_file_keystore
from keys.passphrase import FLOOR
from keys.slots import SlotKind
from keys.types import Context, KeyId, KeyState, KeyUse, Purpose, WrappedKey

CREDENTIAL = bytes(range(32))
MODEL = ModelId("ab" * 32)
PAYERS = 120
BATCH = 10
FORK = multiprocessing.get_context("fork")


def open_keys(folder: Path) -> FileKeyStore:
    kinds = frozenset({SlotKind.CREDENTIAL})
    return open_file_keystore(folder / "keys.fpk", lambda: CREDENTIAL, kinds=kinds)


def open_rows(folder: Path) -> Database:
    return open_database(f"sqlite:///{folder}/f.db")


def face(number: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    features = np.random.default_rng(number).standard_normal(512).astype(np.float32)
    return np.asarray(features / np.linalg.norm(features), np.float32)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Payers of the gallery, and one who holds a capsule."""
    with create_file_keystore(tmp_path / "keys.fpk", "correct horse battery", cost=FLOOR) as keys:
        keys.add_credential(CREDENTIAL)
        database = open_rows(tmp_path)
        with database.begin() as session:
            register_keys(session, keys, 1)
            for number in range(PAYERS):
                subject, mode = SubjectId(f"{number:032x}"), TemplateMode.GALLERY
                enrolled = EnrolledSubject(subject, new_account(), 1, "replay", "test", 1, mode=mode)
                rows.insert_subject(session, "shop", enrolled, None)
                reference = Reference(ReferenceId(f"{number:032x}"), subject, face(number), MODEL)
                session.add(seal_reference(reference, "shop", keys))
            holder, capsule = SubjectId(new_id()), TemplateMode.CAPSULE
            enrolled = EnrolledSubject(holder, new_account(), 1, "replay", "test", 1, mode=capsule)
            rows.insert_subject(session, "shop", enrolled, None)
            deposit = Deposit(ReferenceId("c" * 32), capsule, MODEL, 512, bytes(range(32)))
            session.add(seal_deposit(deposit, holder, "shop", keys))
        database.close()
    return tmp_path


def stored(database: Database) -> dict[str, StoredReference]:
    with database.begin() as session:
        found = rows.select_references(session, "shop")
        return {
            row.reference: StoredReference(*(getattr(row, name) for name in StoredReference._fields))
            for row in found
        }


def custody(database: Database, keys: KeyStore, approvers: dict[KeyId, bytes] | None = None) -> Custody:
    return Custody(database, keys, AuditLog(database, keys, "shop", actor="test"), approvers or {})


def renew(folder: Path) -> Rotated:
    with open_keys(folder) as keys:
        database = open_rows(folder)
        try:
            return Rotation(database, keys).rotate(custody(database, keys).begin_renewal(()))
        finally:
            database.close()


def require_renewed(folder: Path, before: dict[str, StoredReference]) -> None:
    """Every row says the same under a data key and ciphertext that it did not have before."""
    with open_keys(folder) as keys:
        database = open_rows(folder)
        after = stored(database)
        database.close()
        assert after.keys() == before.keys()
        for reference, row in after.items():
            old = before[reference]
            assert row.record_version == old.record_version + 1
            assert row.wrapping_key == keys.active_key
            assert not {row.body, row.wrapped} & {old.body, old.wrapped}
        gallery = [row for row in after.values() if row.mode == "gallery"]
        for opened, result in unseal_all(gallery, keys):
            assert isinstance(result, Reference)
            np.testing.assert_allclose(result.features, face(int(opened.reference, 16)), atol=1e-3)
        assert unseal_deposit(after["c" * 32], keys) == bytes(range(32))


def test_every_row_gets_a_new_data_key_and_the_faces_stay(shop: Path) -> None:
    before = stored(database := open_rows(shop))
    database.close()
    done = renew(shop)
    assert (done.moved, done.renewed, done.unreadable) == (PAYERS + 1, PAYERS + 1, ())
    require_renewed(shop, before)


def test_the_old_ciphertexts_are_gone_from_database_and_log(shop: Path) -> None:
    before = stored(database := open_rows(shop))
    database.close()
    renew(shop)
    files = b"".join(path.read_bytes() for path in shop.glob("f.db*"))
    assert not [row for row in before.values() if row.body[:64] in files or row.wrapped in files]


def test_a_stolen_data_key_opens_nothing_after_a_renewal_and_still_would_after_a_rotation(shop: Path) -> None:
    row = stored(database := open_rows(shop))[f"{7:032x}"]
    context = Context(Purpose.REFERENCE, "shop", row.subject, row.reference, row.model, row.record_version)
    bound, stolen = MAGIC + bytes((VERSION, SUITE)) + encode_context(context), bytearray(32)
    with open_keys(shop) as keys:
        keys.unwrap_into(WrappedKey(KeyId(row.wrapping_key), row.wrapped), bound, stolen)
        Rotation(database, keys).rotate()
    assert unseal_message(stolen, bound, stored(database)[row.reference].body)
    renew(shop)
    with pytest.raises(KeysError):
        unseal_message(stolen, bound, stored(database)[row.reference].body)
    database.close()


@pytest.mark.parametrize("rows_done", [0, 47])
@pytest.mark.parametrize("follower", [Rotation.resume, Rotation.rotate])
def test_a_renewal_that_is_killed_is_finished_by_whatever_rotation_comes_next(
    shop: Path, monkeypatch: pytest.MonkeyPatch, rows_done: int, follower: Callable[[Rotation], Rotated]
) -> None:
    before = stored(database := open_rows(shop))
    database.close()
    monkeypatch.setattr(rotation, "BATCH", BATCH)
    victim = FORK.Process(target=die_after, args=(shop, rows_done))
    victim.start()
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL
    with open_keys(shop) as keys:
        database = open_rows(shop)
        left = sum(row.record_version == 1 for row in stored(database).values())
        assert left == PAYERS + 1 - BATCH * (rows_done // BATCH)
        assert follower(Rotation(database, keys)).renewed == left
        database.close()
    require_renewed(shop, before)


def die_after(folder: Path, rows_done: int) -> None:
    """Renew, and be killed after so many rows, in the middle of a batch's transaction."""
    seal, done = rotation.resealed, 0

    def counted(row: SealedRow, keys: Wrapping, under: KeyId) -> Envelope:
        nonlocal done
        if done == rows_done:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1
        return seal(row, keys, under)

    rotation.resealed = counted
    renew(folder)


def test_a_later_rotation_leaves_what_was_sealed_anew_alone(shop: Path) -> None:
    renew(shop)
    with open_keys(shop) as keys:
        database = open_rows(shop)
        before = stored(database)
        done = Rotation(database, keys).rotate()
        assert (done.moved, done.renewed) == (PAYERS + 1, 0)
        assert {row.body for row in stored(database).values()} == {row.body for row in before.values()}
        database.close()


def test_where_approvers_are_named_two_of_them_have_to_agree_and_the_log_says_who(shop: Path) -> None:
    people = [MemoryKeyStore(), MemoryKeyStore()]
    approvers = {one.signing_key: one.verifying_key(one.signing_key) for one in people}
    with open_keys(shop) as keys:
        database = open_rows(shop)
        deeds = custody(database, keys, approvers)
        agreed = [approve(Action.RENEW, "gallery", one, now_s=int(time.time())) for one in people]
        for too_few in ((), agreed[:1], agreed[:1] * 2):
            with pytest.raises(ApprovalMissing):
                deeds.begin_renewal(too_few)
        assert not any(record.state is KeyState.PENDING for record in keys.records())
        key = deeds.begin_renewal(agreed)
        with pytest.raises(ApprovalMissing, match="used before"):
            deeds.begin_renewal(agreed)
        log = AuditLog(database, keys, "shop", actor="test")
        detail = log.last_detail(AuditEvent.RENEWAL_BEGUN)
        assert detail == {"key": key, "approved_by": list(approvers)}
        assert Rotation(database, keys).rotate(key).renewed == PAYERS + 1
        used = [r.key for r in keys.records() if (r.use, r.state) == (KeyUse.WRAP, KeyState.ACTIVE)]
        assert used == [key]
        database.close()


def test_a_renewal_begins_with_a_key_that_an_enrolment_registered_first(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(open_rows(shop))
    generate = FileKeyStore.generate

    def seen_at_once(keys: FileKeyStore, use: KeyUse) -> KeyId:
        key = generate(keys, use)
        database = open_rows(shop)
        with database.begin() as session:
            register_keys(session, keys, 1)
        database.close()
        return key

    monkeypatch.setattr(FileKeyStore, "generate", seen_at_once)
    assert not renew(shop).unreadable
    require_renewed(shop, before)
