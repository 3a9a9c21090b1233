"""Challenge material, derived for one try of one sale and for nothing else.

HKDF-SHA-256 (RFC 5869) over the session key, salted with the sale's nonce, with amount, currency,
terminal and try as context: the same sale always yields the same challenge, another amount or try an
unrelated one. A challenge is released only after the first live frame is in the chain, so that no
recording can be made for it beforehand.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass, field

from liveness.errors import ChallengeReused, LivenessError
from liveness.types import PromptKind

NONCE_BYTES = 16
MAX_ONSET_JITTER_MS = 300
EXPOSURE_STEPS = 6
_LABEL = b"facepay liveness challenge v1"


@dataclass(frozen=True, slots=True)
class Sale:
    """What a try is bound to.

    `nonce` is 16 random bytes, new for every try; `expires_at_ns` is on the clock given to the engine.
    """

    nonce: bytes = field(repr=False)
    amount_minor: int
    currency: str
    terminal: str
    attempt: int = 1
    expires_at_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """What to ask: an index into the codebook, a side, a delay, and an exposure pattern."""

    code: int
    turn: PromptKind
    onset_jitter_ms: int
    exposure: tuple[int, ...] = field(repr=False)
    """-1, 0 or +1 exposure steps for consecutive frames of the exposure probe."""


def derive(secret: bytes, sale: Sale, *, codes: int) -> Challenge:
    """The challenge of one try.

    Args:
        secret: session key, at least 16 bytes.
        sale: nonce, amount, terminal and try.
        codes: size of the codebook.

    Raises:
        LivenessError: the secret or the nonce is too short.
    """
    if len(secret) < NONCE_BYTES or len(sale.nonce) < NONCE_BYTES:
        raise LivenessError("a liveness challenge needs a session key and a nonce of at least 16 bytes")
    stream = hkdf_sha256(secret, salt=sale.nonce, info=_context(sale), length=32)
    return Challenge(
        code=int.from_bytes(stream[:8]) % codes,
        turn=PromptKind.TURN_LEFT if stream[8] & 1 else PromptKind.TURN_RIGHT,
        onset_jitter_ms=int.from_bytes(stream[9:13]) % (MAX_ONSET_JITTER_MS + 1),
        exposure=tuple(value % 3 - 1 for value in stream[13 : 13 + EXPOSURE_STEPS]),
    )


def hkdf_sha256(key: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF with SHA-256, RFC 5869 sections 2.2 and 2.3; `length` at most 8160."""
    pseudo_random = hmac.digest(salt or bytes(32), key, hashlib.sha256)
    out, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(pseudo_random, block + info + bytes([counter]), hashlib.sha256)
        out += block
    return out[:length]


class MemoryNonceRegister:
    """Remembers the nonces of the last hours in memory; a restart forgets them with their session key."""

    def __init__(self, *, keep_ns: int = 3_600_000_000_000) -> None:
        self._keep_ns = keep_ns
        self._spent: dict[bytes, int] = {}

    def spend(self, nonce: bytes, *, now_ns: int) -> None:
        """Mark as used.

        Raises:
            ChallengeReused: it was spent before.
        """
        if nonce in self._spent:
            raise ChallengeReused("this liveness nonce was used before; start a new try")
        self._spent[nonce] = now_ns
        for old in [n for n, at_ns in self._spent.items() if now_ns - at_ns > self._keep_ns]:
            del self._spent[old]


def _context(sale: Sale) -> bytes:
    """Unambiguous encoding: every field carries its length."""
    amount = struct.pack(">q", sale.amount_minor)
    fields = (
        sale.nonce,
        amount,
        sale.currency.encode(),
        sale.terminal.encode(),
        bytes([sale.attempt & 0xFF]),
    )
    return _LABEL + b"".join(struct.pack(">H", len(one)) + one for one in fields)
