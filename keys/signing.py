"""Ed25519 verification (RFC 8032), with one error."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keys.errors import StatementRefused

PUBLIC_KEY = 32
SIGNATURE = 64


def verify(public_key: bytes, signature: bytes, data: bytes) -> None:
    """Raise StatementRefused unless `signature` is `public_key`'s over `data`."""
    if len(public_key) != PUBLIC_KEY or len(signature) != SIGNATURE:
        raise StatementRefused("a signature has 64 bytes and a public key 32")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        raise StatementRefused("the signature does not hold") from None
