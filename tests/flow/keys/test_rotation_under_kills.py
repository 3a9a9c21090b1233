"""Rotations and renewals killed at random points: nothing is lost, no writer and no reader sees an error."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import numpy as np

from facepay.audit import AuditLog
from facepay.custody import Custody
from facepay.db.session import open_database
from facepay.gallery import Consent, EnrolledSubject, Gallery, NewSubject, new_account, new_id
from facepay.gallery.rotation import Rotation, rows_under
from facepay.gallery.rows import select_references
from facepay.gallery.sealing import unseal_all
from facepay.types import CandidateList, ModelId, Probe, Reference, ReferenceId, SubjectId
from keys.keystore_file import create_file_keystore, open_file_keystore
from keys.passphrase import FLOOR
from keys.slots import SlotKind
from keys.types import KeyState, KeyUse

KILLS = 50
PAYERS = 250
CREDENTIAL = b"0123456789abcdef0123456789abcdef"
MODEL = ModelId("ab" * 32)
FORK = multiprocessing.get_context("fork")


class NoMatcher:
    """A matcher that keeps nothing: this test looks at the rows."""

    model = MODEL

    def add(self, references: object) -> None: ...

    def remove(self, subject: SubjectId) -> int:
        return 0

    def search(self, probe: Probe, count: int = 2, among: object = None) -> CandidateList:
        return ()


def open_gallery(folder: Path) -> Gallery:
    keys = open_file_keystore(folder / "keys.fpk", lambda: CREDENTIAL, kinds=frozenset({SlotKind.CREDENTIAL}))
    return Gallery(open_database(f"sqlite:///{folder}/f.db"), keys, NoMatcher(), "shop")


def enrol_one(gallery: Gallery, features: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    subject = SubjectId(new_id())
    reference = Reference(ReferenceId(new_id()), subject, features, MODEL)
    enrolled = EnrolledSubject(subject, new_account(), 1, "replay", "test", 1)
    gallery.enrol(NewSubject(enrolled, (reference,), Consent("1", "en", "0" * 64, 1)))


def write(folder: Path, done: Synchronized[int], stop: Synchronized[int]) -> None:
    gallery, features = open_gallery(folder), np.full(64, 0.125, np.float32)
    while not stop.value:
        enrol_one(gallery, features)
        done.value += 1
        time.sleep(0.005)


def read(folder: Path, done: Synchronized[int], stop: Synchronized[int]) -> None:
    gallery = open_gallery(folder)
    while not stop.value:
        with gallery._database.begin() as session:
            rows = select_references(session, "shop")
        for _, result in unseal_all(rows, gallery._keys):
            if not isinstance(result, Reference):
                raise result
            done.value += 1
        time.sleep(0.002)


def rotate(folder: Path, renewing: bool) -> None:
    gallery = open_gallery(folder)
    database, keys = gallery._database, gallery._keys
    custody = Custody(database, keys, AuditLog(database, keys, "shop", actor="test"), {})
    Rotation(database, keys).rotate(custody.begin_renewal(()) if renewing else None)


def test_fifty_kills_lose_nothing_and_trouble_nobody(tmp_path: Path) -> None:
    with create_file_keystore(tmp_path / "keys.fpk", "correct horse battery", cost=FLOOR) as store:
        store.add_credential(CREDENTIAL)
    gallery = open_gallery(tmp_path)
    for _ in range(PAYERS):
        enrol_one(gallery, np.full(64, 0.125, np.float32))
    gallery._database.close()

    stop, written, opened = FORK.Value("i", 0), FORK.Value("i", 0), FORK.Value("i", 0)
    # Should a check fail, they end with this process and do not keep it waiting.
    writer = FORK.Process(target=write, args=(tmp_path, written, stop), daemon=True)
    reader = FORK.Process(target=read, args=(tmp_path, opened, stop), daemon=True)
    writer.start()
    reader.start()
    chance, killed = random.Random(3), 0
    while killed < KILLS:
        victim = FORK.Process(target=rotate, args=(tmp_path, killed % 3 == 1))
        victim.start()
        victim.join(chance.uniform(0.005, 0.3))
        if victim.is_alive():
            assert victim.pid is not None
            os.kill(victim.pid, signal.SIGKILL)
            killed += 1
        victim.join()
        assert victim.exitcode in {0, -signal.SIGKILL}
    stop.value = 1
    writer.join(30)
    reader.join(30)
    assert (writer.exitcode, reader.exitcode) == (0, 0)
    assert written.value > 20
    assert opened.value > 1000

    after = open_gallery(tmp_path)
    final = Rotation(after._database, after._keys, grace_ms=0).rotate()
    assert not final.unreadable
    with after._database.begin() as session:
        rows = select_references(session, "shop")
        assert len(rows) == PAYERS + written.value
        assert {row.wrapping_key for row in rows} == {final.active}
        assert rows_under(session, final.active) == len(rows)
    for record in after._keys.records():
        if record.use is KeyUse.WRAP and record.state is KeyState.DECRYPT_ONLY:
            after._keys.advance(record.key, KeyState.DESTROYED)
    assert all(isinstance(result, Reference) for _, result in unseal_all(rows, after._keys))
