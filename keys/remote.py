"""Key stores whose wrapping keys live elsewhere: in a token, a cloud service or a vault.

`RemoteKeys` is what a driver implements. `RemoteKeyStore` adds the rest of `KeyStore`: states, signing and
derivation stand in a key store file (the ring) whose root key only the provider can open, so that losing
either the file or the provider's key ends everything. Data keys are wrapped and unwrapped by the provider;
its wrapping keys never enter this process.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from keys.errors import FormatError, SealBroken, UnlockError
from keys.hygiene import fill_random, wipe
from keys.keyring import READABLE, WRITABLE
from keys.keystore_file import FileKeyStore, Random, load_file_keystore, read_store, start_file_keystore
from keys.ring_front import RingFront
from keys.slots import STORE_ID, Header, Slot, SlotKind, SlotPlace, decode_header, slot_context
from keys.types import KEY_BYTES, KeyId, KeyRecord, KeyState, KeyUse, WrappedKey

ROOT = KeyId("00" * 8)
"""Name of the provider's key that opens the ring; made once with the ring."""


class RemoteKeys(Protocol):
    """A provider's keys, named by our key ids. Failures to decrypt raise SealBroken, others ProviderError."""

    def create(self, key: KeyId) -> None:
        """Make a key that cannot leave the provider; no error when it is already there."""
        ...

    def encrypt(self, key: KeyId, plain: bytearray, context: bytes) -> bytes:
        """Encrypt 32 bytes, authenticated together with `context`."""
        ...

    def decrypt_into(self, key: KeyId, blob: bytes, context: bytes, out: bytearray) -> None:
        """Decrypt into `out` (32 bytes)."""
        ...

    def destroy(self, key: KeyId) -> None:
        """Destroy a key as far as the provider can; no error when it is gone."""
        ...

    def close(self) -> None:
        """Release sessions and handles."""
        ...


class RemoteKeyStore(RingFront):
    """Satisfies `KeyStore`. Made by `create_remote_keystore` and `open_remote_keystore`."""

    _ring: FileKeyStore

    def __init__(self, remote: RemoteKeys, ring: FileKeyStore, random: Random = os.urandom) -> None:
        self._remote = remote
        self._ring = ring
        self._random = random

    def __repr__(self) -> str:
        return f"RemoteKeyStore({type(self._remote).__name__}, <redacted>)"

    def wrap(self, data_key: bytearray, context: bytes, *, under: KeyId | None = None) -> WrappedKey:
        """See `Wrapping.wrap`; one call to the provider."""
        key = under or self.active_key
        self._ring.require(key, KeyUse.WRAP, WRITABLE)
        return WrappedKey(key, self._remote.encrypt(key, data_key, context))

    def unwrap_into(self, wrapped: WrappedKey, context: bytes, out: bytearray) -> None:
        """See `Wrapping.unwrap_into`; one call to the provider."""
        wipe(out)
        self._ring.require(wrapped.key, KeyUse.WRAP, READABLE)
        self._remote.decrypt_into(wrapped.key, wrapped.blob, context, out)

    def records(self) -> tuple[KeyRecord, ...]:
        """Every key, oldest first."""
        return self._ring.records()

    def generate(self, use: KeyUse) -> KeyId:
        """Make a pending key, at the provider if it is for wrapping."""
        if use is not KeyUse.WRAP:
            return self._ring.generate(use)
        key = KeyId(self._random(8).hex())
        self._remote.create(key)
        self._ring.add(key, use, bytearray(KEY_BYTES))
        return key

    def advance(self, key: KeyId, state: KeyState) -> None:
        """See `LifeCycle.advance`."""
        if state is KeyState.DESTROYED:
            self._ring.require_step(key, state)
            # The provider goes first: a crash in between leaves a key that is called decrypt-only and opens
            # nothing, never one that is called destroyed and still opens.
            self._remote.destroy(key)
        self._ring.advance(key, state)

    def close(self) -> None:
        """Close the ring and the provider's session."""
        self._ring.close()
        self._remote.close()


def create_remote_keystore(
    remote: RemoteKeys,
    ring: Path,
    *,
    random: Random = os.urandom,
    now_s: Callable[[], float] = time.time,
) -> RemoteKeyStore:
    """Make the provider's root key and the ring file, with one active key of each use."""
    if ring.exists():
        raise FormatError(f"{ring} is already there; a key store is never overwritten")
    remote.create(ROOT)
    root, place = bytearray(KEY_BYTES), SlotPlace(random(STORE_ID), 0)
    fill_random(root)
    blob = remote.encrypt(ROOT, root, slot_context(SlotKind.PROVIDER, place, b""))
    header = Header(place.store_id, (Slot(SlotKind.PROVIDER, place.number, blob),))
    file = start_file_keystore(ring, root, header, random=random, now_s=now_s)
    store = RemoteKeyStore(remote, file, random)
    for use in KeyUse:
        store.advance(store.generate(use), KeyState.ACTIVE)
    return store


def open_remote_keystore(
    remote: RemoteKeys,
    ring: Path,
    *,
    random: Random = os.urandom,
    now_s: Callable[[], float] = time.time,
) -> RemoteKeyStore:
    """Open the ring with the provider's root key; closes the provider when this raises."""
    root = bytearray(KEY_BYTES)
    try:
        header, _ = decode_header(read_store(ring))
        slot = next((slot for slot in header.slots if slot.kind is SlotKind.PROVIDER), None)
        if slot is None:
            raise UnlockError(f"{ring} has no slot of kind provider")
        context = slot_context(slot.kind, SlotPlace(header.store_id, slot.number), b"")
        try:
            remote.decrypt_into(ROOT, slot.payload, context, root)
        except SealBroken:
            raise UnlockError(f"the provider's root key does not open {ring}") from None
        file = load_file_keystore(ring, root, random=random, now_s=now_s)
    except BaseException:
        remote.close()
        raise
    return RemoteKeyStore(remote, file, random)
