"""What a shopper carries for a template that the shop does not hold: text for a QR code, a scanner, a paste.

    text: "FACEPAY:" | base45 of the bytes | ":"
    bytes: a capsule (`keys.capsule`) or a holder key
    holder key: "FPH" | version 1 | reference, 16 bytes | secret, 16 bytes

The colons are there because a space is a letter of base45 and readers trim spaces. Whoever finds a holder
key has half of what opens the template; the other half is the PIN.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from keys.base45 import decode_base45, encode_base45
from keys.capsule import LIMIT
from keys.errors import FormatError

PREFIX = "FACEPAY:"
SUFFIX = ":"
TEXT_LIMIT = len(PREFIX) + LIMIT * 3 // 2 + 2 + len(SUFFIX)
REFERENCE = 16
SECRET = 16
_MAGIC = b"FPH\x01"


@dataclass(frozen=True, slots=True)
class HolderKey:
    """Which reference it opens (16 bytes), and the shopper's secret (16 random bytes)."""

    reference: bytes
    secret: bytes = field(repr=False)

    def encode(self) -> bytes:
        """The bytes to carry."""
        return _MAGIC + self.reference + self.secret


def encode_code(raw: bytes) -> str:
    """The text of a capsule or of a holder key."""
    return PREFIX + encode_base45(raw) + SUFFIX


def decode_code(text: str) -> bytes:
    """The bytes in what a reader read; raises FormatError for any other text."""
    given = text.strip().upper()
    fits = len(PREFIX) + len(SUFFIX) < len(given) <= TEXT_LIMIT
    if not fits or not given.startswith(PREFIX) or not given.endswith(SUFFIX):
        raise FormatError("this is not a code of facepay")
    return decode_base45(given[len(PREFIX) : -len(SUFFIX)], LIMIT)


def is_holder_key(raw: bytes) -> bool:
    """Whether these are the bytes of a holder key, of whatever version."""
    return raw[:3] == _MAGIC[:3]


def decode_holder_key(raw: bytes) -> HolderKey:
    """Take a holder key apart; raises FormatError, which names a newer version as such."""
    if len(raw) <= len(_MAGIC) or not is_holder_key(raw):
        raise FormatError("this is not a holder key")
    if raw[3] != _MAGIC[3]:
        raise FormatError(f"the holder key has version {raw[3]}; this release reads version {_MAGIC[3]}")
    if len(raw) != len(_MAGIC) + REFERENCE + SECRET:
        raise FormatError(f"a holder key has {len(_MAGIC) + REFERENCE + SECRET} bytes, not {len(raw)}")
    at = len(_MAGIC) + REFERENCE
    return HolderKey(raw[len(_MAGIC) : at], raw[at:])
