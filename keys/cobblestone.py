"""C2SP chunked encryption over AES-256-GCM and HKDF-SHA-512 ("Cobblestone-256").

https://c2sp.org/chunked-encryption, version 1: a 24-byte salt, a 32-byte commitment to key, salt and
context, then chunks of 16 KiB of which the last is shorter, so truncation and extension are seen. The
commitment is compared before any chunk is decrypted, which makes the format key-committing where raw
AES-GCM is not. One message has one salt; a data key seals one message only (ADR 0010).
"""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from keys.errors import FormatError, SealBroken
from keys.types import KEY_BYTES

CHUNK = 16 * 1024
TAG = 16
SALT = 24
COMMITMENT = 32
NONCE = 12
OVERHEAD = SALT + COMMITMENT
_SCHEDULE = KEY_BYTES + NONCE + COMMITMENT
_NONCE = slice(KEY_BYTES, KEY_BYTES + NONCE)
_COMMITMENT = slice(KEY_BYTES + NONCE, _SCHEDULE)
_INFO = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"
_HASH = SHA512()
_ZEROS = bytes(_SCHEDULE)

Buffer = bytes | bytearray | memoryview


def sealed_size(plain_size: int) -> int:
    """Bytes of the sealed form of `plain_size` bytes."""
    return OVERHEAD + plain_size + TAG * (plain_size // CHUNK + 1)


def plain_size(sealed_size: int) -> int:
    """Bytes that a sealed form of this size holds; SealBroken when no message has this size."""
    full, rest = divmod(sealed_size - OVERHEAD, CHUNK + TAG)
    if sealed_size < OVERHEAD + TAG or rest < TAG:
        raise SealBroken
    return full * CHUNK + rest - TAG


class Chunks:
    """Cipher, base nonce and commitment of one message, able to seal or open any of its chunks.

    OpenSSL cleanses the cipher's key as the object is freed, so it lives for one call and is never kept.
    """

    __slots__ = ("_cipher", "_nonce", "commitment")

    def __init__(self, key: Buffer, context: bytes, salt: Buffer) -> None:
        self._cipher, self._nonce, commitment = _keyed(key, context, salt)
        self.commitment = bytes(commitment)

    def __repr__(self) -> str:
        return "Chunks(<redacted>)"

    def __reduce__(self) -> str:
        raise TypeError("a sealing key is never pickled")

    def seal(self, index: int, plain: Buffer) -> bytes:
        """Ciphertext and tag of chunk `index`."""
        return self._cipher.encrypt(self._nonce_of(index), plain, None)

    def unseal_into(self, index: int, sealed: Buffer, out: Buffer) -> None:
        """Decrypt chunk `index` into `out`; raises SealBroken."""
        try:
            self._cipher.decrypt_into(self._nonce_of(index), sealed, None, out)
        except InvalidTag:
            raise SealBroken from None

    def _nonce_of(self, index: int) -> Buffer:
        if not index:
            return self._nonce
        return (int.from_bytes(self._nonce, "big") ^ index).to_bytes(NONCE, "big")


def _keyed(key: Buffer, context: bytes, salt: Buffer) -> tuple[AESGCM, Buffer, Buffer]:
    """Cipher, base nonce and commitment of a message."""
    if len(key) != KEY_BYTES or len(salt) != SALT:
        raise FormatError(f"a sealing key has {KEY_BYTES} bytes and a salt {SALT}")
    schedule = bytearray(_SCHEDULE)
    try:
        HKDFExpand(_HASH, _SCHEDULE, b"".join((_INFO, salt, context))).derive_into(key, schedule)
        # The key is looked at where it stands; nonce and commitment are no secrets and may be copied.
        return AESGCM(memoryview(schedule)[:KEY_BYTES]), schedule[_NONCE], schedule[_COMMITMENT]
    finally:
        schedule[:] = _ZEROS


def seal_message(key: Buffer, context: bytes, plain: Buffer, random: Callable[[int], bytes]) -> bytes:
    """Seal a whole message under a key of 32 bytes that seals nothing else."""
    salt = random(SALT)
    if len(plain) < CHUNK:
        cipher, nonce, commitment = _keyed(key, context, salt)
        return b"".join((salt, commitment, cipher.encrypt(nonce, plain, None)))
    chunks = Chunks(key, context, salt)
    view = memoryview(plain)
    starts = range(0, len(view) + 1, CHUNK)
    body = [chunks.seal(i, view[at : at + CHUNK]) for i, at in enumerate(starts)]
    return b"".join((salt, chunks.commitment, *body))


def open_chunks(key: Buffer, context: bytes, sealed: Buffer) -> Chunks:
    """Check the commitment at the front of `sealed` and return its chunks; raises SealBroken."""
    if len(sealed) < OVERHEAD + TAG:
        raise SealBroken
    chunks = Chunks(key, context, sealed[:SALT])
    if not compare_digest(chunks.commitment, sealed[SALT:OVERHEAD]):
        raise SealBroken
    return chunks


def unseal_message_into(key: Buffer, context: bytes, sealed: Buffer, out: bytearray | memoryview) -> None:
    """Open a whole message into `out`, which has exactly its size and is zeroed when this raises."""
    if plain_size(len(sealed)) != len(out):
        raise SealBroken
    view = memoryview(sealed)
    try:
        if len(out) < CHUNK:
            _open_one_chunk(key, context, view, out)
        else:
            _open_many_chunks(key, context, view, memoryview(out))
    except BaseException:
        out[:] = bytes(len(out))
        raise


def _open_one_chunk(key: Buffer, context: bytes, view: memoryview, out: Buffer) -> None:
    # A record is one chunk: the same as below without the bookkeeping, for ten thousand of them at a start.
    cipher, nonce, commitment = _keyed(key, context, view[:SALT])
    if not compare_digest(commitment, view[SALT:OVERHEAD]):
        raise SealBroken
    try:
        cipher.decrypt_into(nonce, view[OVERHEAD:], None, out)
    except InvalidTag:
        raise SealBroken from None


def _open_many_chunks(key: Buffer, context: bytes, view: memoryview, out: memoryview) -> None:
    chunks = open_chunks(key, context, view)
    for index, at in enumerate(range(0, len(out) + 1, CHUNK)):
        start = OVERHEAD + index * (CHUNK + TAG)
        chunks.unseal_into(index, view[start : start + CHUNK + TAG], out[at : at + CHUNK])


def unseal_message(key: Buffer, context: bytes, sealed: Buffer) -> bytearray:
    """Open a whole message; the caller wipes the result. Raises SealBroken."""
    out = bytearray(plain_size(len(sealed)))
    unseal_message_into(key, context, sealed, out)
    return out
