"""Keyed mode: a reference stays with the merchant, sealed under what only the shopper brings.

The key is Argon2id over PIN and phone number, with a salt that the merchant's key store makes for this
subject (the pepper). Without the key store the few million possible PINs cannot be tried at all; with it,
each try costs one Argon2id. So a thief of database and key store together opens a 6-digit PIN in days, and
the docs say so. Every payment needs the PIN first, and is a comparison with one person (1:1).
"""

from __future__ import annotations

import os
from collections.abc import Callable

from keys import cobblestone
from keys.base import Deriving
from keys.context import encode_context
from keys.errors import UnlockError
from keys.hygiene import wipe, wiping
from keys.passphrase import SALT, Argon2Cost, derive_key_into
from keys.types import KEY_BYTES, Context

_PREFIX = b"FPY\x01"
_LABEL = b"facepay/keyed/v1/"
PIN_SHORTEST = 6


def seal_keyed(
    plain: bytes | bytearray,
    context: Context,
    secret: tuple[str, str],
    store: Deriving,
    *,
    cost: Argon2Cost | None = None,
    random: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """Seal under (PIN, phone number); raises UnlockError for a PIN shorter than PIN_SHORTEST."""
    if len(secret[0]) < PIN_SHORTEST:
        raise UnlockError(f"a PIN that seals a template needs at least {PIN_SHORTEST} digits")
    with wiping(KEY_BYTES) as key:
        _key_into(secret, context, store, cost or Argon2Cost(), key)
        return _PREFIX + cobblestone.seal_message(key, encode_context(context), plain, random)


def unseal_keyed(
    sealed: bytes,
    context: Context,
    secret: tuple[str, str],
    store: Deriving,
    *,
    cost: Argon2Cost | None = None,
) -> bytearray:
    """Open what `seal_keyed` made; SealBroken for a wrong PIN, phone number, context or bytes, all alike.

    The caller counts the tries and locks after a few, as for any PIN.
    """
    with wiping(KEY_BYTES) as key:
        _key_into(secret, context, store, cost or Argon2Cost(), key)
        # The prefix is checked after the key is made, so that every refusal takes the same time.
        body = sealed[len(_PREFIX) :] if sealed.startswith(_PREFIX) else b""
        return cobblestone.unseal_message(key, encode_context(context), body)


def _key_into(
    secret: tuple[str, str], context: Context, store: Deriving, cost: Argon2Cost, out: bytearray
) -> None:
    pin, phone = secret
    given = bytearray(f"{len(pin)}:{pin}{phone}".encode())
    try:
        with wiping(SALT) as pepper:
            store.derive_into(_LABEL + encode_context(context), pepper)
            derive_key_into(given, bytes(pepper), cost, out)
    finally:
        wipe(given)
