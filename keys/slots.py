"""Slots of a key store file: each holds the same root key, locked by another secret (like LUKS).

    "FPK" | version 1 | store id, 16 bytes | slot count | slots
    slot: kind | number | length of the payload, 2 bytes | payload

The payload of a passphrase slot is passes 4, lanes 4, memory 4, salt 16 and the root key under
XAES-256-GCM; that of a credential slot is salt 16 and the root key; those of a TPM2 and of a provider
slot are what the chip or the provider made. The wrap binds store id, kind, number and parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys.errors import FormatError, UnlockError
from keys.hygiene import wiping
from keys.passphrase import SALT, Argon2Cost, derive_key_into, require_bounds
from keys.types import KEY_BYTES
from keys.xaes import NONCE, TAG, Xaes256Gcm, unwrap_key_into, wrap_key

MAGIC = b"FPK"
VERSION = 1
STORE_ID = 16
SLOT_LIMIT = 8
_HEAD = len(MAGIC) + 1 + STORE_ID + 1
_WRAPPED = NONCE + KEY_BYTES + TAG
_COST = 12
_TRUNCATED = "the key store is truncated in its slots: restore its backup"
_LABEL = b"facepay/slot/v1"
CREDENTIAL_SHORTEST = 16
"""Bytes a credential must have; systemd-creds makes random ones, a person never types them."""

Random = Callable[[int], bytes]


class SlotKind(IntEnum):
    """What unlocks a slot."""

    PASSPHRASE = 1
    CREDENTIAL = 2
    TPM2 = 3
    PROVIDER = 4


@dataclass(frozen=True, slots=True)
class SlotPlace:
    """Which store, and which of its slots."""

    store_id: bytes
    number: int


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot: its kind, its number within the store, and the locked root key."""

    kind: SlotKind
    number: int
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Header:
    """The readable front of a key store file; its bytes are bound to the sealed rest."""

    store_id: bytes
    slots: tuple[Slot, ...]

    def encode(self) -> bytes:
        """The bytes at the front of the file."""
        parts = [MAGIC, bytes((VERSION,)), self.store_id, bytes((len(self.slots),))]
        for slot in self.slots:
            parts += (bytes((slot.kind, slot.number)), len(slot.payload).to_bytes(2, "big"), slot.payload)
        return b"".join(parts)

    def free_number(self) -> int:
        """A slot number that is not taken; raises FormatError when all are."""
        taken = {slot.number for slot in self.slots}
        for number in range(SLOT_LIMIT):
            if number not in taken:
                return number
        raise FormatError(f"all {SLOT_LIMIT} slots of the key store are taken; remove one first")


def decode_header(raw: bytes) -> tuple[Header, int]:
    """The header and where it ends; raises FormatError, which names a newer version as such."""
    if len(raw) < _HEAD or raw[:3] != MAGIC:
        raise FormatError("this file is not a facepay key store")
    if raw[3] != VERSION:
        raise FormatError(
            f"the key store has version {raw[3]}, this release reads version {VERSION}: upgrade facepay, "
            "or restore the key store that this release wrote"
        )
    count, at, slots = raw[_HEAD - 1], _HEAD, []
    if not 0 < count <= SLOT_LIMIT:
        raise FormatError(f"the key store says it has {count} slots; 1 to {SLOT_LIMIT} are possible")
    for _ in range(count):
        if len(raw) < at + 4:
            raise FormatError(_TRUNCATED)
        size = int.from_bytes(raw[at + 2 : at + 4], "big")
        payload = raw[at + 4 : at + 4 + size]
        if len(payload) != size:
            raise FormatError(_TRUNCATED)
        slots.append(_slot(raw[at], raw[at + 1], payload))
        at += 4 + size
    if len({slot.number for slot in slots}) != len(slots):
        raise FormatError("two slots of the key store have the same number")
    return Header(raw[4 : 4 + STORE_ID], tuple(slots)), at


def cost_of(slot: Slot) -> Argon2Cost | None:
    """What guessing at a passphrase slot costs; None for slots that nobody can guess at."""
    return _cost(slot.payload) if slot.kind is SlotKind.PASSPHRASE else None


def lock_with_passphrase(
    root: bytearray, secret: bytearray, place: SlotPlace, *, cost: Argon2Cost, random: Random
) -> Slot:
    """A slot that a passphrase opens."""
    salt = random(SALT)
    costs = b"".join(getattr(cost, name).to_bytes(4, "big") for name in Argon2Cost.__slots__)
    with wiping(KEY_BYTES) as key:
        derive_key_into(secret, salt, cost, key)
        return _lock(SlotKind.PASSPHRASE, place, root, key, parameters=costs + salt, random=random)


def lock_with_credential(root: bytearray, secret: bytearray, place: SlotPlace, *, random: Random) -> Slot:
    """A slot that a machine's credential of high entropy opens, without stretching."""
    if len(secret) < CREDENTIAL_SHORTEST:
        raise UnlockError(f"a credential needs at least {CREDENTIAL_SHORTEST} random bytes")
    salt = random(SALT)
    with wiping(KEY_BYTES) as key:
        _credential_key_into(secret, salt, key)
        return _lock(SlotKind.CREDENTIAL, place, root, key, parameters=salt, random=random)


def unlock_into(slot: Slot, secret: bytearray, store_id: bytes, out: bytearray) -> None:
    """The root key of a passphrase or credential slot; raises SealBroken for the wrong secret."""
    parameters, blob = slot.payload[:-_WRAPPED], slot.payload[-_WRAPPED:]
    with wiping(KEY_BYTES) as key:
        if slot.kind is SlotKind.PASSPHRASE:
            derive_key_into(secret, parameters[_COST:], _cost(parameters), key)
        else:
            _credential_key_into(secret, parameters, key)
        unwrap_key_into(
            Xaes256Gcm(key), blob, slot_context(slot.kind, SlotPlace(store_id, slot.number), parameters), out
        )


def slot_context(kind: SlotKind, place: SlotPlace, parameters: bytes) -> bytes:
    """Associated data of a slot's wrap."""
    return b"".join((_LABEL, place.store_id, bytes((kind, place.number)), parameters))


def _lock(
    kind: SlotKind, place: SlotPlace, root: bytearray, key: bytearray, *, parameters: bytes, random: Random
) -> Slot:
    associated = slot_context(kind, place, parameters)
    return Slot(kind, place.number, parameters + wrap_key(Xaes256Gcm(key), root, associated, random))


def _cost(parameters: bytes) -> Argon2Cost:
    return Argon2Cost(*(int.from_bytes(parameters[i : i + 4], "big") for i in range(0, _COST, 4)))


def _credential_key_into(secret: bytearray, salt: bytes, out: bytearray) -> None:
    HKDF(SHA512(), len(out), salt, _LABEL + b"/credential").derive_into(secret, out)


def _slot(kind: int, number: int, payload: bytes) -> Slot:
    sizes = {SlotKind.PASSPHRASE: _COST + SALT + _WRAPPED, SlotKind.CREDENTIAL: SALT + _WRAPPED}
    try:
        slot = Slot(SlotKind(kind), number, payload)
    except ValueError:
        raise FormatError(
            f"slot {number} of the key store has kind {kind}, unknown to this release"
        ) from None
    if number >= SLOT_LIMIT:
        raise FormatError(f"slot number {number} is not below {SLOT_LIMIT}")
    if slot.kind in sizes and len(payload) != sizes[slot.kind]:
        raise FormatError(f"slot {number} of the key store has {len(payload)} bytes of payload")
    if slot.kind is SlotKind.PASSPHRASE:
        require_bounds(_cost(payload))
    return slot
