"""Keyed mode: a reference stays with the merchant, sealed under what only the shopper brings.

    "FPY" | version 1 | sealed

The key is Argon2id over the PIN and the secret of the shopper's holder key (`keys.holder_code`), with a salt
that the merchant's key store makes for this subject (the pepper). Database and key store together open
nothing: the secret has 128 random bits and lies on the shopper's phone alone. The PIN guards a lost phone,
the pepper a lost phone in the hands of somebody who has the database and not the key store.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from keys import cobblestone
from keys.base import Deriving
from keys.context import encode_context
from keys.errors import UnlockError
from keys.holder_code import SECRET
from keys.hygiene import wipe, wiping
from keys.passphrase import SALT, Argon2Cost, derive_key_into
from keys.pins import PIN_COST
from keys.types import KEY_BYTES, Context

_PREFIX = b"FPY\x01"
_LABEL = b"facepay/keyed/v1/"
PIN_SHORTEST = 4
"""As short as any PIN here: guessing needs the holder's secret first, and is counted."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """What only the shopper brings: the PIN, and the secret of the holder key (16 bytes)."""

    pin: str = field(repr=False)
    secret: bytes = field(repr=False)


def seal_keyed(
    plain: bytes | bytearray,
    context: Context,
    bearer: Bearer,
    store: Deriving,
    *,
    cost: Argon2Cost = PIN_COST,
    random: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """Seal under PIN and holder's secret; raises UnlockError for a PIN or secret that is too short."""
    if len(bearer.pin) < PIN_SHORTEST:
        raise UnlockError(f"a PIN that seals a template needs at least {PIN_SHORTEST} digits")
    if len(bearer.secret) != SECRET:
        raise UnlockError(f"a holder's secret has {SECRET} random bytes")
    with wiping(KEY_BYTES) as key:
        _key_into(bearer, context, store, cost, key)
        return _PREFIX + cobblestone.seal_message(key, encode_context(context), plain, random)


def unseal_keyed(
    sealed: bytes | bytearray,
    context: Context,
    bearer: Bearer,
    store: Deriving,
    *,
    cost: Argon2Cost = PIN_COST,
) -> bytearray:
    """Open what `seal_keyed` made; SealBroken for a wrong PIN, secret, context or bytes, all alike.

    The caller counts the tries and locks after a few, as for any PIN, and wipes the result.
    """
    with wiping(KEY_BYTES) as key:
        _key_into(bearer, context, store, cost, key)
        # The prefix is checked after the key is made, so that every refusal takes the same time.
        body = memoryview(sealed)[len(_PREFIX) :] if sealed.startswith(_PREFIX) else b""
        return cobblestone.unseal_message(key, encode_context(context), body)


def _key_into(bearer: Bearer, context: Context, store: Deriving, cost: Argon2Cost, out: bytearray) -> None:
    given = bytearray(f"{len(bearer.pin)}:{bearer.pin}".encode())
    given += bearer.secret
    try:
        with wiping(SALT) as pepper:
            store.derive_into(_LABEL + encode_context(context), pepper)
            derive_key_into(given, bytes(pepper), cost, out)
    finally:
        wipe(given)
