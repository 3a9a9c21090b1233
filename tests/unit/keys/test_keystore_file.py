from __future__ import annotations

import os
from pathlib import Path

import pytest

from keys import open_keystore
from keys.errors import FormatError, KeysError, KeyUnavailable, ProviderError, UnlockError
from keys.keystore_file import create_file_keystore, open_file_keystore
from keys.passphrase import CEILING, FLOOR, Argon2Cost
from keys.slots import SlotKind, decode_header
from keys.types import KeyState, KeyUse

SECRET = "correct horse battery"
HEADER = 3 + 1 + 16 + 1


def open_with(path: Path, secret: str = SECRET) -> None:
    open_file_keystore(path, lambda: secret).close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create_file_keystore(tmp_path / "keys.fpk", SECRET, cost=FLOOR).close()
    return tmp_path / "keys.fpk"


def test_a_store_opens_again_with_its_passphrase_and_unwraps(tmp_path: Path) -> None:
    path = tmp_path / "keys.fpk"
    with create_file_keystore(path, SECRET, cost=FLOOR) as store:
        wrapped = store.wrap(bytearray(b"k" * 32), b"c")
    out = bytearray(32)
    with open_keystore(f"file:{path}", lambda: SECRET) as again:
        again.unwrap_into(wrapped, b"c", out)
    assert out == b"k" * 32


def test_a_wrong_passphrase_is_named_and_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(UnlockError, match="none of the 1 slots"):
        open_with(path, "incorrect horse")
    assert path.read_bytes() == before


def test_a_missing_store_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UnlockError, match="facepay keys generate"):
        open_with(tmp_path / "keys.fpk")


def test_a_store_is_never_overwritten(path: Path) -> None:
    with pytest.raises(FormatError, match="already there"):
        create_file_keystore(path, SECRET)


def test_a_weak_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnlockError, match="at least 12"):
        create_file_keystore(tmp_path / "keys.fpk", "short")


def test_only_the_owner_may_read_the_file(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(FormatError, match="chmod 600"):
        open_with(path)


@pytest.mark.parametrize("name", Argon2Cost.__slots__)
@pytest.mark.parametrize("limit", ["above", "below"])
def test_hostile_parameters_are_refused_before_any_work(path: Path, name: str, limit: str) -> None:
    value = getattr(CEILING, name) + 1 if limit == "above" else getattr(FLOOR, name) - 1
    raw = bytearray(path.read_bytes())
    at = HEADER + 4 + 4 * Argon2Cost.__slots__.index(name)
    raw[at : at + 4] = value.to_bytes(4, "big")
    path.write_bytes(raw)
    with pytest.raises(FormatError, match=name):
        open_with(path)


def test_every_flipped_bit_and_every_truncation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.fpk"
    with create_file_keystore(path, SECRET, cost=FLOOR) as store:
        store.add_credential(b"c" * 32)
        store.remove_slot(0)

        def opened() -> None:
            kinds = frozenset({SlotKind.CREDENTIAL})
            open_file_keystore(path, lambda: b"c" * 32, kinds=kinds).close()

        opened()
        good = path.read_bytes()
        for bit in range(len(good) * 8):
            bad = bytearray(good)
            bad[bit // 8] ^= 1 << bit % 8
            path.write_bytes(bad)
            with pytest.raises(KeysError):
                opened()
        for size in range(len(good)):
            path.write_bytes(good[:size])
            with pytest.raises(KeysError):
                opened()


def test_a_newer_version_is_named(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[3] = 2
    path.write_bytes(raw)
    with pytest.raises(FormatError, match="version 2"):
        open_with(path)


def test_slots_are_added_and_removed_and_the_last_one_stays(path: Path) -> None:
    with open_file_keystore(path, lambda: SECRET) as store:
        second = store.add_passphrase("another passphrase", FLOOR)
        third = store.add_credential(os.urandom(32))
        assert [slot.number for slot in store.slots()] == [0, second, third]
        store.remove_slot(0)
        store.remove_slot(third)
        with pytest.raises(FormatError, match="last slot"):
            store.remove_slot(second)
        with pytest.raises(FormatError, match="no slot 7"):
            store.remove_slot(7)
    open_with(path, "another passphrase")
    with pytest.raises(UnlockError):
        open_with(path)


def test_a_slot_kind_that_is_missing_is_named(path: Path) -> None:
    with pytest.raises(UnlockError, match="no slot of kind credential"):
        open_keystore(f"file:{path}?slot=credential", lambda: b"x" * 32)


def test_another_process_sees_a_new_key_without_the_passphrase(path: Path) -> None:
    with open_file_keystore(path, lambda: SECRET) as server, open_file_keystore(path, lambda: SECRET) as tool:
        new = tool.generate(KeyUse.WRAP)
        tool.advance(new, KeyState.ACTIVE)
        wrapped = tool.wrap(bytearray(b"k" * 32), b"c")
        out = bytearray(32)
        server.unwrap_into(wrapped, b"c", out)
        assert out == b"k" * 32
        assert server.active_key == new


def test_a_key_made_active_by_another_process_unwraps_here(path: Path) -> None:
    with open_file_keystore(path, lambda: SECRET) as here, open_file_keystore(path, lambda: SECRET) as there:
        key = there.generate(KeyUse.WRAP)
        assert here.records()[-1].state is KeyState.PENDING
        there.advance(key, KeyState.ACTIVE)
        wrapped, out = there.wrap(bytearray(b"k" * 32), b"context", under=key), bytearray(32)
        here.unwrap_into(wrapped, b"context", out)
        assert out == b"k" * 32


def test_an_old_copy_put_back_is_noticed(path: Path) -> None:
    old = path.read_bytes()
    with open_file_keystore(path, lambda: SECRET) as store:
        store.generate(KeyUse.WRAP)
        path.write_bytes(old)
        with pytest.raises(FormatError, match="old copy"):
            store.records()


def test_header_and_ring_of_two_stores_do_not_mix(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.fpk"
    create_file_keystore(other, SECRET, cost=FLOOR).close()
    ours, theirs = path.read_bytes(), other.read_bytes()
    _, end = decode_header(ours)
    path.write_bytes(ours[:end] + theirs[end:])
    with pytest.raises(FormatError, match="the secret is right"):
        open_with(path)


@pytest.mark.parametrize("call", ["fsync", "replace", "write"])
def test_a_failing_disk_leaves_the_old_store_and_a_clear_error(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with open_file_keystore(path, lambda: SECRET) as store:
        before, keys = path.read_bytes(), store.records()
        with monkeypatch.context() as broken:
            broken.setattr(os, call, fail)
            with pytest.raises(ProviderError, match="No space left"):
                store.generate(KeyUse.WRAP)
        assert path.read_bytes() == before
        assert store.records() == keys
        assert sorted(p.name for p in path.parent.iterdir()) == [".keys.fpk.lock", "keys.fpk"]
    open_with(path)


def test_a_closed_store_has_nothing_left(path: Path) -> None:
    store = open_file_keystore(path, lambda: SECRET)
    root = store._root
    store.close()
    assert not any(root)
    with pytest.raises(KeyUnavailable):
        store.records()


@pytest.mark.parametrize(
    "uri", ["vault9:x", "file:relative.fpk", "file:/x?slot=9", "file:/x?slots=1", "memory:?a=1", ""]
)
def test_a_wrong_uri_is_refused(uri: str) -> None:
    with pytest.raises(FormatError):
        open_keystore(uri, lambda: SECRET)
