"""Passphrases to keys by Argon2id (RFC 9106), with parameters that are stored and bounded.

What a new slot costs is measured where it is made (`keys.stretching`). A parameter below the floor would make
guessing cheap, one above the ceiling would let a hostile file exhaust the terminal's memory; both are
refused before any work is done.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from keys.errors import FormatError, UnlockError

SALT = 16
SHORTEST = 12
"""Characters a new passphrase must have."""


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """Passes, lanes and memory in KiB of Argon2id; RFC 9106's second recommendation with two passes more."""

    passes: int = 5
    lanes: int = 4
    memory_kib: int = 64 * 1024


FLOOR = Argon2Cost(passes=2, lanes=1, memory_kib=19 * 1024)
"""The least accepted: OWASP's smallest Argon2id setting (password storage sheet, 2024)."""
CEILING = Argon2Cost(passes=16, lanes=16, memory_kib=1024 * 1024)


def require_bounds(cost: Argon2Cost) -> None:
    """Raise FormatError when a parameter lies outside FLOOR and CEILING, naming it."""
    for name in Argon2Cost.__slots__:
        value, low, high = (getattr(c, name) for c in (cost, FLOOR, CEILING))
        if not low <= value <= high:
            raise FormatError(f"Argon2id {name} is {value}, allowed are {low} to {high}")


def derive_key_into(secret: bytearray, salt: bytes, cost: Argon2Cost, out: bytearray) -> None:
    """Fill `out` from a secret; what it takes is the cost's."""
    require_bounds(cost)
    kdf = Argon2id(
        salt=salt, length=len(out), iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib
    )
    # The type stub says bytes; the function takes any buffer, which lets the passphrase be wiped.
    kdf.derive_into(secret, out)  # type: ignore[arg-type]


def passphrase_bytes(secret: str | bytes | bytearray) -> bytearray:
    """A passphrase as NFC UTF-8 in a buffer the caller wipes; raises UnlockError when it is empty."""
    if isinstance(secret, str):
        raw = bytearray(unicodedata.normalize("NFC", secret).encode())
    else:
        raw = bytearray(secret)
    if not raw:
        raise UnlockError("the key store's passphrase is empty")
    return raw


def require_strength(secret: str | bytes | bytearray) -> None:
    """Raise UnlockError when a new passphrase is shorter than SHORTEST."""
    if len(secret) < SHORTEST:
        raise UnlockError(f"a new passphrase needs at least {SHORTEST} characters")
