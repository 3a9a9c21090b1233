"""The local encryption of nexo messages: AES-256-CBC over the whole inner text, HMAC-SHA256 over that text.

Key material is PBKDF2-HMAC-SHA1 of a passphrase with a fixed salt, as every till of this dialect derives
it. The scheme itself has no protection against replay and authenticates only after decryption, so the
caller compares headers and remembers exchanges, and every failure here is one error with one text.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from pos_adapter.errors import NotAllowed, Unauthenticated

SALT = b"AdyenNexoV1Salt"
ITERATIONS = 4000
BLOCK = 16
VERSION = 1
_REFUSED = "the message could not be opened"


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """HMAC key (32 bytes), cipher key (32) and the vector that is mixed with each nonce (16)."""

    hmac_key: bytes = field(repr=False)
    cipher_key: bytes = field(repr=False)
    vector: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, order=True)
class KeyName:
    """KeyIdentifier and KeyVersion of a passphrase."""

    identifier: str
    version: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """The hidden text and its trailer: ciphertext, nonce (16 bytes), HMAC (32 bytes) and the key's name."""

    blob: bytes
    nonce: bytes
    hmac: bytes
    key: KeyName


def derive(passphrase: str) -> KeyMaterial:
    """The keys of a passphrase.

    Raises:
        NotAllowed: it is empty or not ASCII: tills disagree about the bytes of other characters.
    """
    if not passphrase or not passphrase.isascii():
        raise NotAllowed("a nexo passphrase is one or more ASCII characters")
    material = hashlib.pbkdf2_hmac("sha1", passphrase.encode("ascii"), SALT, ITERATIONS, 80)
    return KeyMaterial(material[:32], material[32:64], material[64:])


def seal(
    text: bytes,
    name: KeyName,
    keys: KeyMaterial,
    *,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Sealed:
    """Hide a text under a fresh nonce."""
    nonce = random_bytes(BLOCK)
    padder = padding.PKCS7(8 * BLOCK).padder()
    encryptor = _cipher(keys, nonce).encryptor()
    blob = encryptor.update(padder.update(text) + padder.finalize()) + encryptor.finalize()
    return Sealed(blob, nonce, hmac.digest(keys.hmac_key, text, "sha256"), name)


def unseal(sealed: Sealed, keys: KeyMaterial) -> bytes:
    """The hidden text.

    Raises:
        Unauthenticated: the nonce, the blob, its padding or the HMAC is wrong; which one is not told.
    """
    if len(sealed.nonce) != BLOCK or not sealed.blob or len(sealed.blob) % BLOCK:
        raise Unauthenticated(_REFUSED)
    decryptor = _cipher(keys, sealed.nonce).decryptor()
    padded = decryptor.update(sealed.blob) + decryptor.finalize()
    # Wrong padding is not reported on its own, and the HMAC is computed all the same: no padding oracle.
    count = padded[-1]
    well_padded = 1 <= count <= BLOCK and padded.endswith(bytes([count]) * count)
    text = padded[:-count] if well_padded else padded
    authentic = hmac.compare_digest(hmac.digest(keys.hmac_key, text, "sha256"), sealed.hmac)
    if not (authentic and well_padded):
        raise Unauthenticated(_REFUSED)
    return text


class KeyRing:
    """Passphrases by identifier and version; old versions stay until they are taken out of the settings."""

    def __init__(self, passphrases: Mapping[KeyName, str] | Iterable[tuple[KeyName, str]] = ()) -> None:
        self._keys = {name: derive(passphrase) for name, passphrase in dict(passphrases).items()}

    def __bool__(self) -> bool:
        return bool(self._keys)

    def find(self, name: KeyName) -> KeyMaterial:
        """The keys of this name; raises Unauthenticated with the same text as a wrong key."""
        try:
            return self._keys[name]
        except KeyError:
            raise Unauthenticated(_REFUSED) from None


def _cipher(keys: KeyMaterial, nonce: bytes) -> Cipher[modes.CBC]:
    vector = bytes(ours ^ theirs for ours, theirs in zip(keys.vector, nonce, strict=True))
    return Cipher(algorithms.AES(keys.cipher_key), modes.CBC(vector))
