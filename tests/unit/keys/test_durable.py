"""Disk full, failing fsync and failing rename in the middle of each write of the key store file."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from keys import KeyState, KeyUse, create_file_keystore
from keys.errors import KeysError, ProviderError
from keys.file_store import FileKeyStore
from keys.keystore_file import open_file_keystore
from keys.passphrase import FLOOR

PASSPHRASE = "correct horse battery"
FAULTS = {"write": errno.ENOSPC, "fsync": errno.EIO, "replace": errno.EIO, "open": errno.ENOSPC}
Deed = Callable[[FileKeyStore], object]


def retire(store: FileKeyStore) -> None:
    store.advance(store.generate(KeyUse.WRAP), KeyState.ACTIVE)


DEEDS: dict[str, Deed] = {
    "generate": lambda store: store.generate(KeyUse.WRAP),
    "activate": lambda store: store.advance(pending(store), KeyState.ACTIVE),
    "destroy": lambda store: store.advance(retired(store), KeyState.DESTROYED),
    "add a passphrase": lambda store: store.add_passphrase("another passphrase", FLOOR),
    "add a credential": lambda store: store.add_credential(bytes(range(32))),
    "remove a slot": lambda store: store.remove_slot(1),
}


def pending(store: FileKeyStore) -> object:
    return next(r.key for r in store.records() if r.state is KeyState.PENDING)


def retired(store: FileKeyStore) -> object:
    return next(r.key for r in store.records() if r.state is KeyState.DECRYPT_ONLY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "keys.fpk"
    with create_file_keystore(made, PASSPHRASE, cost=FLOOR) as store:
        retire(store)
        store.generate(KeyUse.WRAP)
        store.add_credential(bytes(32))
    return made


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("deed", DEEDS)
def test_a_write_that_fails_changes_nothing_and_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch, deed: str, fault: str
) -> None:
    before = path.read_bytes()
    with open_file_keystore(path, lambda: PASSPHRASE) as store:
        known, slots, wrapped = store.records(), store.slots(), store.wrap(bytearray(32), b"c")
        break_once(monkeypatch, fault)
        with pytest.raises(ProviderError, match=r"cannot write .*keys\.fpk"):
            DEEDS[deed](store)
        monkeypatch.undo()
        assert path.read_bytes() == before
        assert (store.records(), store.slots()) == (known, slots)
        store.unwrap_into(wrapped, b"c", bytearray(32))
        assert sorted(os.listdir(path.parent)) == [".keys.fpk.lock", "keys.fpk"]
        # The same again succeeds once the disk does.
        DEEDS[deed](store)
    assert path.read_bytes() != before
    open_file_keystore(path, lambda: PASSPHRASE).close()


def break_once(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let one call of the system fail; the write is cut in its middle first."""
    real, broken = getattr(os, name), FAULTS[name]

    def fail(*args: object, **more: object) -> object:
        if name == "open" and not str(args[0]).endswith(".new"):
            return real(*args, **more)
        monkeypatch.setattr(os, name, real)
        if name == "write":
            real(args[0], bytes(args[1])[:40])  # type: ignore[call-overload]
        raise OSError(broken, os.strerror(broken))

    monkeypatch.setattr(os, name, fail)


def test_a_folder_that_cannot_be_synced_leaves_the_new_file_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.fsync, []

    def fail(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor)

    with open_file_keystore(path, lambda: PASSPHRASE) as store:
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(ProviderError):
            store.generate(KeyUse.WRAP)
        monkeypatch.undo()
        # Old or new, never a mixture: what is on disk opens, and the store believes the disk.
        assert len(store.records()) == 6
    open_file_keystore(path, lambda: PASSPHRASE).close()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_store_that_could_not_be_made_can_be_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    path = tmp_path / "keys.fpk"
    break_once(monkeypatch, fault)
    with pytest.raises(KeysError):
        create_file_keystore(path, PASSPHRASE, cost=FLOOR)
    monkeypatch.undo()
    assert not path.exists()
    create_file_keystore(path, PASSPHRASE, cost=FLOOR).close()
    open_file_keystore(path, lambda: PASSPHRASE).close()
