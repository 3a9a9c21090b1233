"""A rotation whose disk fails in the middle, and two rotations at once: nothing is lost."""

from __future__ import annotations

import errno
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from facepay.db.session import Database, open_database
from facepay.db.wrapping import register_keys
from facepay.errors import DatabaseFault
from facepay.gallery import Consent, EnrolledSubject, new_account, new_id, rows
from facepay.gallery.rotation import OWED_MS, Rotation, rows_under
from facepay.gallery.sealing import seal_reference, unseal_all
from facepay.types import ModelId, Reference, ReferenceId, SubjectId
from keys.errors import ProviderError
from keys.file_store import FileKeyStore
from keys.keystore_file import create_file_keystore, open_file_keystore
from keys.passphrase import FLOOR
from keys.slots import SlotKind
from keys.types import KeyState, KeyUse

CREDENTIAL = bytes(range(32))
MODEL = ModelId("ab" * 32)
PAYERS = 300


def open_keys(folder: Path) -> FileKeyStore:
    kinds = frozenset({SlotKind.CREDENTIAL})
    return open_file_keystore(folder / "keys.fpk", lambda: CREDENTIAL, kinds=kinds)


def open_rows(folder: Path) -> Database:
    return open_database(f"sqlite:///{folder}/f.db")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with create_file_keystore(tmp_path / "keys.fpk", "correct horse battery", cost=FLOOR) as keys:
        keys.add_credential(CREDENTIAL)
        database = open_rows(tmp_path)
        features = np.full(512, 1 / 512**0.5, np.float32)
        with database.begin() as session:
            register_keys(session, keys, 1)
            for _ in range(PAYERS):
                subject = SubjectId(new_id())
                enrolled = EnrolledSubject(subject, new_account(), 1, "replay", "test", 1)
                rows.insert_subject(session, "shop", enrolled, None)
                reference = Reference(ReferenceId(new_id()), subject, features, MODEL)
                session.add(seal_reference(reference, "shop", keys))
        database.erase_traces()
        database.close()
    return tmp_path


def require_whole(folder: Path, *, moved: bool) -> None:
    """Every row opens; after a finished rotation all are under the one active key."""
    with open_keys(folder) as keys:
        database = open_rows(folder)
        with database.begin() as session:
            stored = rows.select_references(session, "shop")
            under = rows_under(session, keys.active_key)
        database.close()
        assert len(stored) == PAYERS
        assert all(isinstance(result, Reference) for _, result in unseal_all(stored, keys))
        active = [r for r in keys.records() if (r.use, r.state) == (KeyUse.WRAP, KeyState.ACTIVE)]
        assert len(active) == 1
        assert not moved or under == PAYERS


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """No file grows beyond `size` bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [50_000, 200_000, 400_000])
def test_a_disk_that_fills_up_during_a_rotation_loses_nothing(shop: Path, room: int) -> None:
    with open_keys(shop) as keys:
        database = open_rows(shop)
        with files_end_at(room), pytest.raises(DatabaseFault):
            Rotation(database, keys).rotate()
        require_whole(shop, moved=False)
        assert Rotation(database, keys).resume().unreadable == ()
        database.close()
    require_whole(shop, moved=True)


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@pytest.mark.parametrize("at", [1, 2])
def test_a_key_store_that_cannot_be_written_stops_a_rotation_before_any_row(
    shop: Path, monkeypatch: pytest.MonkeyPatch, call: str, at: int
) -> None:
    with open_keys(shop) as keys:
        database = open_rows(shop)
        break_at(monkeypatch, call, at)
        with pytest.raises(ProviderError):
            Rotation(database, keys).rotate()
        monkeypatch.undo()
        require_whole(shop, moved=False)
        Rotation(database, keys).rotate()
        database.close()
    require_whole(shop, moved=True)


def break_at(monkeypatch: pytest.MonkeyPatch, name: str, at: int) -> None:
    """Let write number `at` of the key store file fail: the first makes the key, the second activates it."""
    real, calls = getattr(os, name), [0]
    # Each write of the file syncs twice, the file and its folder.
    which = 2 * at - 1 if name == "fsync" else at

    def fail(*args: object) -> object:
        calls[0] += 1
        if calls[0] == which:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args)

    monkeypatch.setattr(os, name, fail)


def test_two_rotations_at_once_finish_and_agree(shop: Path) -> None:
    errors: list[BaseException] = []
    barrier = threading.Barrier(2)

    def rotate() -> None:
        try:
            with open_keys(shop) as keys:
                database = open_rows(shop)
                barrier.wait()
                Rotation(database, keys).rotate()
                database.close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=rotate) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    require_whole(shop, moved=True)


def test_an_erasure_is_followed_by_a_rotation_in_time_for_the_old_keys_destruction(shop: Path) -> None:
    now = [10_000]
    with open_keys(shop) as keys:
        database = open_rows(shop)
        rotation = Rotation(database, keys, now_ms=lambda: now[0])
        before = keys.active_key
        assert rotation.rotate_if_owed() is None
        with database.begin() as session:
            subject = SubjectId(rows.select_subjects(session, "shop")[0].subject)
            consent = Consent("1", "en", "0" * 64, 1)
            rows.insert_consent(session, "shop", subject, consent)
        with database.begin() as session:
            rows.delete_subject(session, "shop", subject, now[0])
        now[0] += OWED_MS - 1
        assert rotation.rotate_if_owed() is None
        now[0] += 1
        done = rotation.rotate_if_owed()
        assert done is not None
        assert done.active != before
        assert done.moved == PAYERS - 1
        now[0] += OWED_MS
        assert rotation.rotate_if_owed() is None
        database.close()
