"""A reference in the shopper's own hands: sealed for one merchant, signed, and small enough for a QR code.

    "FPC" | version 1 | capsule id, 16 bytes | issuer's key id, 8 bytes | sealed | signature, 64 bytes
    sealed: not after, 8 | subject, 16 | length of account, 1 | account | scale, 4 | count, 2 | int8 features

Features are int8, scaled by the largest; the cosine to the original stays above 0.9999. The sealing key is
derived by the merchant's key store from the capsule's id and from a share: 32 random bytes that stay with
the merchant and say nothing about a face. Destroying the share revokes the capsule wherever it is, and it
outlives a rotation of the wrapping key. Tenant, model and capsule id are bound. A capsule is a face: sealed,
not anonymous; whoever has it, its share and the merchant's key store has the template.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from keys import cobblestone
from keys.base import Deriving, Signing
from keys.context import encode_context
from keys.errors import FormatError, SealBroken, StatementRefused
from keys.hygiene import wipe, wiping
from keys.signing import SIGNATURE, verify
from keys.types import KEY_BYTES, Context, KeyId, Purpose

_PREFIX = b"FPC\x01"
_ID = 16
_HEAD = len(_PREFIX) + _ID + 8
_FIXED = struct.Struct(">q16sB")
_FEATURES = struct.Struct(">fH")
_LABEL = b"facepay/capsule/v1/"
SHARE = 32
"""Bytes of the merchant's share of a capsule."""
LIMIT = 900
"""Most bytes of a capsule; in base45 it fits a QR code of version 22, level L, 105 modules wide."""
ACCOUNT_LIMIT = 40


@dataclass(frozen=True, slots=True)
class Capsule:
    """What a capsule says. `features` are int8 of unit scale 1/127, times `scale`; `subject` is 16 bytes."""

    subject: bytes
    account: str
    not_after_s: int
    scale: float = field(repr=False)
    features: bytes = field(repr=False)


class Issuer(Deriving, Signing, Protocol):
    """The part of a key store that issues capsules."""


def issue_capsule(
    capsule: Capsule,
    *,
    tenant: str,
    model: str,
    store: Issuer,
    share: bytes | bytearray,
    random: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """Seal and sign a capsule for one merchant and recogniser; FormatError when it would not fit."""
    number, plain = random(_ID), _encode(capsule)
    try:
        with wiping(KEY_BYTES) as key:
            _key_into(number, share, store, key)
            sealed = cobblestone.seal_message(key, _context(tenant, model, number), plain, random)
    finally:
        wipe(plain)
    front = _PREFIX + number + bytes.fromhex(store.signing_key) + sealed
    if len(front) + SIGNATURE > LIMIT:
        raise FormatError(f"the capsule has {len(front) + SIGNATURE} bytes, at most {LIMIT} fit a screen")
    return front + store.sign(front)


def capsule_number(raw: bytes) -> bytes:
    """The 16 bytes that name a capsule; raises FormatError when it is none that this release reads."""
    if not _HEAD + SIGNATURE < len(raw) <= LIMIT or raw[:3] != _PREFIX[:3]:
        raise FormatError("this is not a capsule")
    if raw[3] != _PREFIX[3]:
        raise FormatError(f"the capsule has version {raw[3]}; this release reads version {_PREFIX[3]}")
    return raw[4 : 4 + _ID]


def open_capsule(
    raw: bytes,
    *,
    tenant: str,
    model: str,
    store: Deriving,
    share: bytes | bytearray,
    issuers: Mapping[KeyId, bytes],
    now_s: int,
) -> Capsule:
    """Verify and open a capsule with the merchant's share of it.

    Raises:
        FormatError: not a capsule of a version this release reads.
        StatementRefused: not signed by a trusted issuer, or past its time.
        SealBroken: of another merchant or another recogniser, or the share is another capsule's.
    """
    number, issuer = capsule_number(raw), KeyId(raw[4 + _ID : _HEAD].hex())
    if issuer not in issuers:
        raise StatementRefused("the capsule's issuer is not trusted here")
    verify(issuers[issuer], raw[-SIGNATURE:], raw[:-SIGNATURE])
    with wiping(KEY_BYTES) as key:
        _key_into(number, share, store, key)
        plain = cobblestone.unseal_message(key, _context(tenant, model, number), raw[_HEAD:-SIGNATURE])
    try:
        capsule = _decode(plain)
    finally:
        wipe(plain)
    if now_s >= capsule.not_after_s:
        raise StatementRefused("the capsule is past its time; a new one is issued at the enrolment desk")
    return capsule


def _key_into(number: bytes, share: bytes | bytearray, store: Deriving, out: bytearray) -> None:
    if len(share) != SHARE:
        raise SealBroken
    label = bytearray(_LABEL + number)
    label += share
    try:
        store.derive_into(bytes(label), out)
    finally:
        wipe(label)


def _encode(capsule: Capsule) -> bytearray:
    account = capsule.account.encode()
    if len(account) > ACCOUNT_LIMIT or len(capsule.subject) != _ID:
        raise FormatError("a capsule's account is too long or its subject not 16 bytes")
    return bytearray().join(
        (
            _FIXED.pack(capsule.not_after_s, capsule.subject, len(account)),
            account,
            _FEATURES.pack(capsule.scale, len(capsule.features)),
            capsule.features,
        )
    )


def _decode(plain: bytearray) -> Capsule:
    try:
        not_after_s, subject, size = _FIXED.unpack_from(plain)
        at = _FIXED.size + size
        account = bytes(plain[_FIXED.size : at]).decode()
        scale, count = _FEATURES.unpack_from(plain, at)
    except (struct.error, UnicodeDecodeError):
        raise FormatError("the capsule's content is malformed") from None
    features = bytes(plain[at + _FEATURES.size :])
    if len(features) != count:
        raise FormatError("the capsule's content is malformed")
    return Capsule(subject, account, not_after_s, scale, features)


def _context(tenant: str, model: str, number: bytes) -> bytes:
    return encode_context(Context(Purpose.CAPSULE, tenant, reference=number.hex(), model=model))
