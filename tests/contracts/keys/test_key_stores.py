"""One contract over every key store: what holds for one holds for all."""

from __future__ import annotations

import pickle

import pytest

from keys.base import KeyStore
from keys.errors import KeysError, KeyStateError, KeyUnavailable, SealBroken
from keys.signing import verify
from keys.types import KeyId, KeyState, KeyUse, WrappedKey


def key_of(fill: int = 7) -> bytearray:
    return bytearray([fill]) * 32


def test_a_wrapped_key_comes_back_in_its_context(store: KeyStore) -> None:
    out = bytearray(32)
    store.unwrap_into(store.wrap(key_of(), b"context"), b"context", out)
    assert out == key_of()


def test_wrapping_twice_gives_different_blobs(store: KeyStore) -> None:
    assert store.wrap(key_of(), b"").blob != store.wrap(key_of(), b"").blob


def test_another_context_does_not_unwrap_and_leaves_zeros(store: KeyStore) -> None:
    out = key_of(1)
    with pytest.raises(SealBroken):
        store.unwrap_into(store.wrap(key_of(), b"context"), b"contexu", out)
    assert out == bytes(32)


def test_every_changed_byte_of_a_blob_is_refused(store: KeyStore) -> None:
    wrapped = store.wrap(key_of(), b"context")
    for at in range(len(wrapped.blob)):
        blob = bytearray(wrapped.blob)
        blob[at] ^= 0x10
        out = key_of(1)
        with pytest.raises(KeysError):
            store.unwrap_into(WrappedKey(wrapped.key, bytes(blob)), b"context", out)
        assert out == bytes(32)


def test_a_cut_blob_is_refused(store: KeyStore) -> None:
    wrapped = store.wrap(key_of(), b"context")
    for size in (0, 1, len(wrapped.blob) // 2, len(wrapped.blob) - 1):
        with pytest.raises(SealBroken):
            store.unwrap_into(WrappedKey(wrapped.key, wrapped.blob[:size]), b"context", bytearray(32))


def test_an_unknown_key_is_unavailable(store: KeyStore) -> None:
    wrapped = store.wrap(key_of(), b"context")
    with pytest.raises(KeyUnavailable):
        store.unwrap_into(WrappedKey(KeyId("00" * 8), wrapped.blob), b"context", bytearray(32))


def test_a_retired_key_reads_and_does_not_wrap(store: KeyStore) -> None:
    old, wrapped = store.active_key, store.wrap(key_of(), b"context")
    new = store.generate(KeyUse.WRAP)
    store.advance(new, KeyState.ACTIVE)
    assert store.active_key == new
    assert store.wrap(key_of(), b"context").key == new
    out = bytearray(32)
    store.unwrap_into(wrapped, b"context", out)
    assert out == key_of()
    with pytest.raises(KeyUnavailable):
        store.wrap(key_of(), b"context", under=old)


def test_a_pending_key_does_nothing_yet(store: KeyStore) -> None:
    pending = store.generate(KeyUse.WRAP)
    assert store.active_key != pending
    with pytest.raises(KeyUnavailable):
        store.wrap(key_of(), b"context", under=pending)


def test_a_destroyed_key_is_gone_and_stays_listed(store: KeyStore) -> None:
    old, wrapped = store.active_key, store.wrap(key_of(), b"context")
    store.advance(store.generate(KeyUse.WRAP), KeyState.ACTIVE)
    store.advance(old, KeyState.DESTROYED)
    with pytest.raises(KeyUnavailable):
        store.unwrap_into(wrapped, b"context", bytearray(32))
    assert {record.key: record.state for record in store.records()}[old] is KeyState.DESTROYED


def test_an_active_key_is_never_destroyed(store: KeyStore) -> None:
    with pytest.raises(KeyStateError, match="active"):
        store.advance(store.active_key, KeyState.DESTROYED)


def test_derivation_is_stable_across_rotation_and_separates_labels(store: KeyStore) -> None:
    first, again, other = bytearray(32), bytearray(32), bytearray(32)
    store.derive_into(b"digits", first)
    store.advance(store.generate(KeyUse.WRAP), KeyState.ACTIVE)
    store.derive_into(b"digits", again)
    store.derive_into(b"pseudonym", other)
    assert first == again != other


def test_a_signature_verifies_under_the_key_it_names(store: KeyStore) -> None:
    key = store.signing_key
    signature = store.sign(b"statement")
    store.advance(store.generate(KeyUse.SIGN), KeyState.ACTIVE)
    verify(store.verifying_key(key), signature, b"statement")
    assert store.signing_key != key


def test_a_closed_store_refuses(store: KeyStore) -> None:
    store.close()
    with pytest.raises(KeyUnavailable):
        store.wrap(key_of(), b"context")


def test_a_store_is_not_pickled_and_shows_no_key(store: KeyStore) -> None:
    assert "redacted" in repr(store)
    with pytest.raises(TypeError):
        pickle.dumps(store)
