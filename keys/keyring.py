"""Keys held in this process's memory: the core of the `memory` and `file` key stores.

    "FPR" | version 1 | generation, 8 bytes | count, 2 bytes | records of 92 bytes

A record is key id 8, use 1, state 1, two zero bytes, created 8, changed 8, public key 32, material 32.
The material of a destroyed key is zero. Encoding and decoding work on bytearrays only, so that no copy
of a key is left in an immutable object.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import RLock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from keys.errors import FormatError, KeyUnavailable, SealBroken
from keys.hygiene import wipe
from keys.lifecycle import require_step
from keys.types import KEY_BYTES, KeyId, KeyRecord, KeyState, KeyUse, WrappedKey
from keys.xaes import Xaes256Gcm, unwrap_key_into, wrap_key

_PREFIX = b"FPR\x01"
_HEAD = len(_PREFIX) + 8 + 2
_RECORD = 92
_WRAP_LABEL = b"facepay/wrap/v1"
_DERIVE_LABEL = b"facepay/derive/v1\0"
RECORD_LIMIT = 4096
WRITABLE = frozenset({KeyState.ACTIVE})
READABLE = frozenset({KeyState.ACTIVE, KeyState.DECRYPT_ONLY})


@dataclass(slots=True)
class _Key:
    record: KeyRecord
    material: bytearray
    public: bytes
    cipher: Xaes256Gcm | None = None

    def __repr__(self) -> str:
        return f"_Key({self.record.key}, <redacted>)"

    def __reduce__(self) -> str:
        raise TypeError("a key is never pickled")


def public_of(seed: bytearray) -> bytes:
    """The Ed25519 public key of a 32-byte seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


class Keyring:
    """Keys with their states, and what can be done with them. `generation` rises with every change."""

    def __init__(self) -> None:
        self._keys: dict[KeyId, _Key] = {}
        self._active: dict[KeyUse, KeyId] = {}
        self._lock = RLock()
        self.generation = 0

    def __repr__(self) -> str:
        return f"Keyring({len(self._keys)} keys, <redacted>)"

    def __reduce__(self) -> str:
        raise TypeError("keys are never pickled")

    def records(self) -> tuple[KeyRecord, ...]:
        """Every key, oldest first."""
        with self._lock:
            return tuple(key.record for key in self._keys.values())

    def has(self, key: KeyId) -> bool:
        """Whether the key is here, in whatever state."""
        return key in self._keys

    def active(self, use: KeyUse) -> KeyId:
        """The active key of a use, or KeyUnavailable."""
        found = self._active.get(use)
        if found is not None:
            return found
        for record in reversed(self.records()):
            if record.use is use and record.state is KeyState.ACTIVE:
                self._active[use] = record.key
                return record.key
        raise KeyUnavailable(f"this key store has no active {use.name.lower()} key")

    def add(self, key: KeyId, use: KeyUse, material: bytearray, at_s: int) -> None:
        """Take over `material` (copied; the caller wipes its own) as a pending key."""
        with self._lock:
            if key in self._keys:
                raise FormatError(f"key {key} is already in this key store")
            record = KeyRecord(key, use, KeyState.PENDING, at_s, at_s)
            public = public_of(material) if use is KeyUse.SIGN else bytes(KEY_BYTES)
            self._keys[key] = _Key(record, bytearray(material), public)
            self.generation += 1

    def advance(self, key: KeyId, state: KeyState, at_s: int) -> None:
        """One step of a key's life; see `LifeCycle.advance`."""
        with self._lock:
            entry = self._find(key)
            require_step(key, entry.record.state, state)
            self._active.clear()
            if state is KeyState.ACTIVE:
                for other in self._keys.values():
                    if other.record.use is entry.record.use and other.record.state is KeyState.ACTIVE:
                        other.record = replace(other.record, state=KeyState.DECRYPT_ONLY, changed_at_s=at_s)
            entry.record = replace(entry.record, state=state, changed_at_s=at_s)
            if state is KeyState.DESTROYED:
                wipe(entry.material)
                entry.cipher = None
            self.generation += 1

    def wrap(self, data_key: bytearray, context: bytes, under: KeyId, nonce: bytes) -> WrappedKey:
        """XAES-256-GCM under an active wrapping key, binding the key's id and the context."""
        with self._lock:
            cipher = self._cipher(under, WRITABLE)
            return WrappedKey(under, wrap_key(cipher, data_key, _associated(under, context), lambda _: nonce))

    def unwrap_into(self, wrapped: WrappedKey, context: bytes, out: bytearray) -> None:
        """Undo `wrap`, also under a decrypt-only key."""
        with self._lock:
            try:
                cipher = self._cipher(wrapped.key, READABLE)
                unwrap_key_into(cipher, wrapped.blob, _associated(wrapped.key, context), out)
            except (KeyUnavailable, SealBroken):
                wipe(out)
                raise

    def derive_into(self, label: bytes, out: bytearray) -> None:
        """HKDF-Expand of the active derivation key."""
        with self._lock:
            entry = self._find(self.active(KeyUse.DERIVE))
            HKDFExpand(SHA512(), len(out), _DERIVE_LABEL + label).derive_into(entry.material, out)

    def sign(self, data: bytes) -> bytes:
        """Ed25519 under the active signing key."""
        with self._lock:
            entry = self._find(self.active(KeyUse.SIGN))
            return Ed25519PrivateKey.from_private_bytes(entry.material).sign(data)

    def verifying_key(self, key: KeyId) -> bytes:
        """Public key of a signing key of any state."""
        with self._lock:
            entry = self._find(key)
            if entry.record.use is not KeyUse.SIGN:
                raise KeyUnavailable(f"key {key} is not a signing key")
            return entry.public

    def close(self) -> None:
        """Wipe every key."""
        with self._lock:
            for entry in self._keys.values():
                wipe(entry.material)
                entry.cipher = None
            self._keys.clear()
            self._active.clear()

    def encode(self) -> bytearray:
        """The whole ring; the caller wipes the result."""
        with self._lock:
            # The buffer has its full size from the start: growing it would leave copies of keys behind.
            out = bytearray(_HEAD + _RECORD * len(self._keys))
            out[:_HEAD] = _PREFIX + self.generation.to_bytes(8, "big") + len(self._keys).to_bytes(2, "big")
            for at, entry in zip(range(_HEAD, len(out), _RECORD), self._keys.values(), strict=True):
                record = entry.record
                out[at : at + 12] = bytes.fromhex(record.key) + bytes((record.use, record.state, 0, 0))
                out[at + 12 : at + 20] = record.created_at_s.to_bytes(8, "big")
                out[at + 20 : at + 28] = record.changed_at_s.to_bytes(8, "big")
                out[at + 28 : at + 60] = entry.public
                out[at + 60 : at + _RECORD] = entry.material
            return out

    def replace_with(self, raw: bytearray) -> None:
        """Become the ring that `encode` wrote, wiping what was here; unchanged when this raises."""
        generation, entries = _decode(raw)
        with self._lock:
            self.close()
            self._keys = entries
            self.generation = generation

    def _find(self, key: KeyId) -> _Key:
        entry = self._keys.get(key)
        if entry is None:
            raise KeyUnavailable(f"key {key} is not in this key store")
        return entry

    def require(self, key: KeyId, use: KeyUse, states: frozenset[KeyState]) -> None:
        """Raise KeyUnavailable unless the key is of this use and in one of the states."""
        record = self._find(key).record
        if record.use is not use or record.state not in states:
            raise _forbidden(record)

    def _cipher(self, key: KeyId, states: frozenset[KeyState]) -> Xaes256Gcm:
        entry = self._find(key)
        record = entry.record
        if record.use is not KeyUse.WRAP or record.state not in states:
            raise _forbidden(record)
        if entry.cipher is None:
            entry.cipher = Xaes256Gcm(entry.material)
        return entry.cipher


def _forbidden(record: KeyRecord) -> KeyUnavailable:
    return KeyUnavailable(f"key {record.key} ({record.use.name}, {record.state.name}) may not do this")


def _associated(key: KeyId, context: bytes) -> bytes:
    return _WRAP_LABEL + bytes.fromhex(key) + context


def _decode(raw: bytearray) -> tuple[int, dict[KeyId, _Key]]:
    if len(raw) < _HEAD or raw[: len(_PREFIX)] != _PREFIX:
        raise FormatError("the key ring is not of a version this release reads")
    generation = int.from_bytes(raw[4:12], "big")
    count = int.from_bytes(raw[12:14], "big")
    if count > RECORD_LIMIT or len(raw) != _HEAD + count * _RECORD:
        raise FormatError(f"the key ring says it has {count} keys and its length says otherwise")
    entries: dict[KeyId, _Key] = {}
    for at in range(_HEAD, len(raw), _RECORD):
        entry = _decode_record(raw, at)
        if entry.record.key in entries:
            raise FormatError(f"key {entry.record.key} is in the key ring twice")
        entries[entry.record.key] = entry
    return generation, entries


def _decode_record(raw: bytearray, at: int) -> _Key:
    key = KeyId(bytes(raw[at : at + 8]).hex())
    try:
        use, state = KeyUse(raw[at + 8]), KeyState(raw[at + 9])
    except ValueError:
        raise FormatError(f"key {key} has a use or state this release does not know") from None
    created, changed = (int.from_bytes(raw[i : i + 8], "big") for i in (at + 12, at + 20))
    if raw[at + 10 : at + 12] != b"\0\0":
        raise FormatError(f"key {key} has flags this release does not know")
    material = raw[at + 60 : at + _RECORD]
    return _Key(KeyRecord(key, use, state, created, changed), material, bytes(raw[at + 28 : at + 60]))
