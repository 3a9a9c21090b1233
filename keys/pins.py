"""Stores and checks PINs: Argon2id (RFC 9106) over an HMAC whose key only the key store can make.

A PIN has so few values that a hash alone would be searched through in seconds. The pepper means that a
copy of the database is worth nothing without the key store, and the memory-hard hash makes each guess
slow for whoever has both. Every check costs the same, whether the account exists, has a PIN, or not.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable

from keys.base import Deriving
from keys.errors import FormatError, KeysError
from keys.hygiene import wiping
from keys.passphrase import SALT, Argon2Cost, derive_key_into

DIGEST = 32
PIN_COST = Argon2Cost(passes=3, lanes=1, memory_kib=64 * 1024)
"""One lane: the terminal's other cores are busy with the camera while the shopper types."""

_PEPPER = b"facepay pin pepper v1"
_SHAPE = re.compile(r"[0-9]{4,12}\Z")
_RECORD = re.compile(
    r"fp1\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/=]{24})\$([A-Za-z0-9+/=]{44})\Z"
)


class PinRefused(KeysError):
    """The PIN is wrong, or there is none: one error and one text, so that neither shows outside."""

    def __init__(self) -> None:
        super().__init__("the PIN does not fit")


class PinMalformed(KeysError):
    """A new PIN is not 4 to 12 digits; whoever chose it can choose another."""


def make_pin_record(
    pin: str,
    account: str,
    store: Deriving,
    *,
    random: Callable[[int], bytes] = os.urandom,
    cost: Argon2Cost = PIN_COST,
) -> str:
    """A record to store for an account; it fits this PIN, this account and this key store only.

    Raises:
        PinMalformed: The PIN is not 4 to 12 ASCII digits.
    """
    if not _SHAPE.match(pin):
        raise PinMalformed("a PIN has 4 to 12 digits")
    salt = random(SALT)
    digest = _digest(pin, account, store, salt, cost)
    head = f"fp1$m={cost.memory_kib},t={cost.passes},p={cost.lanes}"
    return f"{head}${b64encode(salt).decode()}${b64encode(digest).decode()}"


def require_pin(
    pin: str, account: str, record: str | None, store: Deriving, *, cost: Argon2Cost = PIN_COST
) -> None:
    """Pass in silence where the PIN fits the record; compares in constant time.

    Without a record the same work is done before the refusal.

    Raises:
        PinRefused: It does not fit, or there is no record.
        FormatError: The record is damaged; the operator restores it or the shopper enrols again.
    """
    if record is None:
        salt, expected = bytes(SALT), b""
    else:
        salt, expected, cost = _read(record)
    digest = _digest(pin, account, store, salt, cost)
    if not hmac.compare_digest(digest, expected):
        raise PinRefused


def _digest(pin: str, account: str, store: Deriving, salt: bytes, cost: Argon2Cost) -> bytes:
    # The account's length comes first, so that no two pairs of account and PIN make the same text.
    name, digits = account.encode(), pin.encode()
    with wiping(DIGEST) as pepper, wiping(DIGEST) as keyed, wiping(DIGEST) as out:
        store.derive_into(_PEPPER, pepper)
        text = len(name).to_bytes(2, "big") + name + digits
        keyed[:] = hmac.new(pepper, text, hashlib.sha256).digest()
        derive_key_into(keyed, salt, cost, out)
        return bytes(out)


def _read(record: str) -> tuple[bytes, bytes, Argon2Cost]:
    found = _RECORD.match(record)
    if found is None:
        raise FormatError("a stored PIN record is damaged")
    memory_kib, passes, lanes = (int(number) for number in found.groups()[:3])
    try:
        salt, expected = (b64decode(part, validate=True) for part in found.groups()[3:])
    except Base64Error:
        raise FormatError("a stored PIN record is damaged") from None
    return salt, expected, Argon2Cost(passes=passes, lanes=lanes, memory_kib=memory_kib)
