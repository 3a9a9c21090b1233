"""Values of the leaf: identifiers, states and what a key store says about its keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import NewType

KeyId = NewType("KeyId", str)
"""Name of one key: 16 lowercase hex digits, 8 bytes on the wire, random or derived from a provider's name."""

KEY_BYTES = 32
"""Size of every symmetric key here (AES-256, HKDF-SHA-512 input) and of an Ed25519 seed."""


class KeyUse(IntEnum):
    """What a key may do; a key never does two things."""

    WRAP = 1
    SIGN = 2
    DERIVE = 3


class KeyState(IntEnum):
    """Life of a key; `keys.lifecycle.STEPS` are the steps allowed, and none leads back from DESTROYED."""

    PENDING = 1
    ACTIVE = 2
    DECRYPT_ONLY = 3
    DESTROYED = 4


class Purpose(Enum):
    """What sealed bytes are for; part of the associated data, so one never opens as another."""

    REFERENCE = "reference"
    SEGMENT = "segment"
    KEY_STORE = "key-store"
    BACKUP = "backup"
    CAPSULE = "capsule"
    SHARE = "share"
    KEYED = "keyed"
    AUDIT = "audit"
    SECRET = "secret"  # noqa: S105 - the name of a purpose, not a secret


@dataclass(frozen=True, slots=True)
class Context:
    """Where sealed bytes belong. Every field is bound; one that does not apply is the empty string.

    `model` is the digest of the recogniser, `record_version` counts the versions of one record from 1.
    """

    purpose: Purpose
    tenant: str
    subject: str = ""
    reference: str = ""
    model: str = ""
    record_version: int = 1


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as a key store encrypted it. `blob` is the provider's own format, at most 1024 bytes."""

    key: KeyId
    blob: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What a key store tells about one key; never its material. Times are Unix seconds."""

    key: KeyId
    use: KeyUse
    state: KeyState
    created_at_s: int
    changed_at_s: int
