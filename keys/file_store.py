"""The default key store: one file, opened by any of its slots.

The file is a readable header with the slots (`keys.slots`) and the key ring, sealed under the root key
and bound to the header's bytes. Every change is made under a lock on the file as it is on disk, written
durably, and only then believed. A store that another process changed is read again when a key is not
known here; an older generation than the one already seen is refused.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import RLock

from keys import cobblestone
from keys.durable import locked, read_bounded, write_durably
from keys.errors import FormatError, KeyUnavailable, ProviderError, UnlockError
from keys.hygiene import fill_random, wipe, wiping
from keys.keyring import Keyring
from keys.lifecycle import require_step
from keys.passphrase import Argon2Cost, passphrase_bytes, require_strength
from keys.ring_front import RingFront
from keys.slots import (
    Header,
    Slot,
    SlotPlace,
    decode_header,
    lock_with_credential,
    lock_with_passphrase,
)
from keys.tpm2_slot import DEFAULT_PCRS, Chip, lock_with_chip
from keys.types import KEY_BYTES, KeyId, KeyRecord, KeyState, KeyUse, WrappedKey
from keys.xaes import NONCE

FILE_LIMIT = 1 << 20
_CONTEXT = b"facepay/keystore/v1"

Random = Callable[[int], bytes]
Secret = Callable[[], str | bytes | bytearray]


class FileKeyStore(RingFront):
    """Satisfies `KeyStore`. Made by `create_file_keystore` and `open_file_keystore`."""

    _ring: Keyring

    def __init__(
        self,
        path: Path,
        root: bytearray,
        *,
        random: Random = os.urandom,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._root = root
        self._random = random
        self._now_s = now_s
        self._ring = Keyring()
        self._lock = RLock()

    @property
    def path(self) -> Path:
        """Where the store lies."""
        return self._path

    def __repr__(self) -> str:
        return f"FileKeyStore({str(self._path)!r}, <redacted>)"

    def active(self, use: KeyUse) -> KeyId:
        """The active key of a use, or KeyUnavailable."""
        return self._ring.active(use)

    @property
    def generation(self) -> int:
        """Rises with every change of the key ring; a caller may remember it to notice a file put back."""
        return self._ring.generation

    def wrap(self, data_key: bytearray, context: bytes, *, under: KeyId | None = None) -> WrappedKey:
        """See `Wrapping.wrap`."""
        self._require_known(under)
        return self._ring.wrap(data_key, context, under or self.active_key, self._random(NONCE))

    def unwrap_into(self, wrapped: WrappedKey, context: bytes, out: bytearray) -> None:
        """See `Wrapping.unwrap_into`."""
        self._require_known(wrapped.key)
        try:
            self._ring.unwrap_into(wrapped, context, out)
        except KeyUnavailable:
            # Another process may have made the key active since this one read the file.
            self.reload()
            self._ring.unwrap_into(wrapped, context, out)

    def verifying_key(self, key: KeyId) -> bytes:
        """See `Signing.verifying_key`."""
        self._require_known(key)
        return self._ring.verifying_key(key)

    def records(self) -> tuple[KeyRecord, ...]:
        """Every key, oldest first, as the file has it now."""
        self.reload()
        return self._ring.records()

    def generate(self, use: KeyUse) -> KeyId:
        """Make a pending key; it is on disk when this returns."""
        key = KeyId(self._random(8).hex())
        with wiping(KEY_BYTES) as material:
            fill_random(material)
            self.add(key, use, material)
        return key

    def add(self, key: KeyId, use: KeyUse, material: bytearray) -> None:
        """Take over (copy) a pending key made elsewhere; it is on disk when this returns."""
        self._change(lambda ring: ring.add(key, use, material, int(self._now_s())))

    def require(self, key: KeyId, use: KeyUse, states: frozenset[KeyState]) -> None:
        """Raise KeyUnavailable unless the key is here, of this use and in one of the states."""
        self._require_known(key)
        try:
            self._ring.require(key, use, states)
        except KeyUnavailable:
            self.reload()
            self._ring.require(key, use, states)

    def advance(self, key: KeyId, state: KeyState) -> None:
        """See `LifeCycle.advance`; on disk when this returns."""
        self._change(lambda ring: ring.advance(key, state, int(self._now_s())))

    def require_step(self, key: KeyId, state: KeyState) -> None:
        """Raise unless the key is here and may move to `state`."""
        for record in self.records():
            if record.key == key:
                return require_step(key, record.state, state)
        raise KeyUnavailable(f"key {key} is not in this key store")

    def reload(self) -> None:
        """Read the file again, if another process may have changed it."""
        with self._lock:
            _, ring = self._load()
            self._adopt(ring)

    def slots(self) -> tuple[Slot, ...]:
        """The slots of the file as it is now."""
        return decode_header(read_store(self._path))[0].slots

    def add_passphrase(self, secret: str | bytes | bytearray, cost: Argon2Cost | None = None) -> int:
        """Let a second passphrase open the store; returns the slot's number."""
        require_strength(secret)
        raw = passphrase_bytes(secret)
        try:
            return self._add_slot(
                lambda place: lock_with_passphrase(
                    self._root, raw, place, cost=cost or Argon2Cost(), random=self._random
                )
            )
        finally:
            wipe(raw)

    def add_credential(self, secret: bytes | bytearray) -> int:
        """Let a machine's credential open the store unattended; returns the slot's number."""
        raw = bytearray(secret)
        try:
            return self._add_slot(
                lambda place: lock_with_credential(self._root, raw, place, random=self._random)
            )
        finally:
            wipe(raw)

    def add_chip(self, chip: Chip, pcrs: frozenset[int] = DEFAULT_PCRS) -> int:
        """Let this machine's TPM open the store unattended; returns the slot's number."""
        return self._add_slot(
            lambda place: lock_with_chip(self._root, chip, place, pcrs, random=self._random)
        )

    def remove_slot(self, number: int) -> None:
        """Take a slot away; the last one stays. FormatError when there is no such slot."""
        with self._lock, locked(self._path):
            header, ring = self._load()
            kept = tuple(slot for slot in header.slots if slot.number != number)
            if len(kept) == len(header.slots):
                raise FormatError(f"the key store has no slot {number}")
            if not kept:
                raise FormatError("the last slot of a key store cannot be removed")
            ring.generation += 1
            self.save(replace(header, slots=kept), ring)
            self._adopt(ring)

    def copy_root(self) -> bytearray:
        """A copy of the root key for escrow, which the caller wipes. Exporting it needs two approvals."""
        return bytearray(self._root)

    def close(self) -> None:
        """Wipe the root key and the ring."""
        with self._lock:
            wipe(self._root)
            self._root = bytearray()
            self._ring.close()

    def _require_known(self, key: KeyId | None) -> None:
        if key is not None and not self._ring.has(key):
            self.reload()

    def _add_slot(self, lock: Callable[[SlotPlace], Slot]) -> int:
        with self._lock, locked(self._path):
            header, ring = self._load()
            slot = lock(SlotPlace(header.store_id, header.free_number()))
            ring.generation += 1
            self.save(replace(header, slots=(*header.slots, slot)), ring)
            self._adopt(ring)
            return slot.number

    def _change(self, step: Callable[[Keyring], None]) -> None:
        with self._lock, locked(self._path):
            header, ring = self._load()
            try:
                step(ring)
                self.save(header, ring)
            except BaseException:
                ring.close()
                raise
            self._adopt(ring)

    def _load(self) -> tuple[Header, Keyring]:
        if not self._root:
            raise KeyUnavailable("this key store was closed")
        raw = read_store(self._path)
        header, end = decode_header(raw)
        plain = cobblestone.unseal_message(self._root, _body_context(raw[:end]), raw[end:])
        ring = Keyring()
        try:
            ring.replace_with(plain)
        finally:
            wipe(plain)
        if ring.generation < self._ring.generation:
            ring.close()
            raise FormatError(
                f"{self._path} is older than what was already read from it; an old copy was put back"
            )
        return header, ring

    def save(self, header: Header, ring: Keyring) -> None:
        """Seal a ring behind a header and write both durably; `_adopt` is what makes it believed."""
        front = header.encode()
        plain = ring.encode()
        try:
            body = cobblestone.seal_message(self._root, _body_context(front), plain, self._random)
        finally:
            wipe(plain)
        try:
            write_durably(self._path, front + body)
        except OSError as error:
            raise ProviderError(f"cannot write {self._path}: {error.strerror}") from error

    def _adopt(self, ring: Keyring) -> None:
        before, self._ring = self._ring, ring
        before.close()


def read_store(path: Path) -> bytes:
    """A key store's file; raises UnlockError when there is none, FormatError when others can read it."""
    try:
        mode = path.stat().st_mode
        raw = read_bounded(path, FILE_LIMIT)
    except FileNotFoundError:
        raise UnlockError(f"there is no key store at {path}; make one with: facepay keys generate") from None
    except OSError as error:
        raise ProviderError(f"cannot read {path}: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise FormatError(f"{path} can be read by others; repair with: chmod 600 {path}")
    return raw


def _body_context(front: bytes) -> bytes:
    return _CONTEXT + hashlib.sha256(front).digest()
