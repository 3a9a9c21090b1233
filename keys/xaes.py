"""XAES-256-GCM: AES-256-GCM with a 192-bit nonce that may be drawn at random 2**80 times.

https://c2sp.org/XAES-256-GCM. The subkey comes from one counter-mode CMAC of a single block
(NIST SP 800-108r1 4.1), which is three AES calls of which one is made once a key. The format commits to
no key; what is wrapped here is a 32-byte data key whose message commits to it (ADR 0011).
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.errors import FormatError, SealBroken
from keys.hygiene import wipe
from keys.types import KEY_BYTES

NONCE = 24
TAG = 16
_BLOCK = 16
_HALF = 12
_REDUCTION = 0x87
_ZEROS = bytes(KEY_BYTES)

Buffer = bytes | bytearray | memoryview


class Xaes256Gcm:
    """One key of XAES-256-GCM. The key schedule stays in OpenSSL's memory until `close`."""

    __slots__ = ("_block_cipher", "_mask")

    def __init__(self, key: Buffer) -> None:
        if len(key) != KEY_BYTES:
            raise FormatError(f"an XAES-256-GCM key has {KEY_BYTES} bytes, not {len(key)}")
        # ECB encrypts each block on its own, so one context serves every call.
        cipher = Cipher(algorithms.AES256(key), modes.ECB())  # noqa: S305 - the block cipher itself, for CMAC
        self._block_cipher = cipher.encryptor()
        doubled = int.from_bytes(self._block_cipher.update(bytes(_BLOCK)), "big") << 1
        if doubled >> 128:
            doubled ^= (1 << 128) | _REDUCTION
        first = int.from_bytes(b"\0\1X\0" + bytes(_HALF), "big") ^ doubled
        second = int.from_bytes(b"\0\2X\0" + bytes(_HALF), "big") ^ doubled
        self._mask = first << 128 | second

    def __repr__(self) -> str:
        return "Xaes256Gcm(<redacted>)"

    def __reduce__(self) -> str:
        raise TypeError("a key is never pickled")

    def encrypt(self, nonce: bytes, plain: Buffer, associated: bytes) -> bytes:
        """Ciphertext and tag under a 24-byte nonce."""
        subkey = self._subkey(nonce)
        try:
            return AESGCM(subkey).encrypt(nonce[_HALF:], plain, associated)
        finally:
            subkey[:] = _ZEROS

    def decrypt_into(self, nonce: bytes, sealed: Buffer, associated: bytes, out: Buffer) -> None:
        """Decrypt into `out`, which is 16 bytes shorter than `sealed`; raises SealBroken."""
        subkey = self._subkey(nonce)
        try:
            AESGCM(subkey).decrypt_into(nonce[_HALF:], sealed, associated, out)
        except InvalidTag:
            raise SealBroken from None
        finally:
            subkey[:] = _ZEROS

    def _subkey(self, nonce: bytes) -> bytearray:
        if len(nonce) != NONCE:
            raise FormatError(f"an XAES-256-GCM nonce has {NONCE} bytes, not {len(nonce)}")
        half = int.from_bytes(nonce[:_HALF], "big")
        blocks = (self._mask ^ (half << 128 | half)).to_bytes(2 * _BLOCK, "big")
        subkey = bytearray(2 * _BLOCK + _BLOCK - 1)
        self._block_cipher.update_into(blocks, subkey)
        del subkey[2 * _BLOCK :]
        return subkey


def wrap_key(cipher: Xaes256Gcm, key: Buffer, associated: bytes, random: Callable[[int], bytes]) -> bytes:
    """Nonce, ciphertext and tag of a key: 72 bytes for 32."""
    nonce = random(NONCE)
    return nonce + cipher.encrypt(nonce, key, associated)


def unwrap_key_into(cipher: Xaes256Gcm, blob: bytes, associated: bytes, out: bytearray) -> None:
    """Undo `wrap_key`; `out` is zeroed and SealBroken raised when it does not open."""
    if len(blob) != NONCE + len(out) + TAG:
        wipe(out)
        raise SealBroken
    try:
        cipher.decrypt_into(blob[:NONCE], memoryview(blob)[NONCE:], associated, out)
    except SealBroken:
        wipe(out)
        raise
