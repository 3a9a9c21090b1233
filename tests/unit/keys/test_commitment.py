"""Raw AES-GCM commits to no key: one ciphertext opens under two. The sealed format refuses it."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from keys.cobblestone import OVERHEAD, Chunks, seal_message, unseal_message
from keys.errors import SealBroken

NONCE = bytes(12)


def times(x: int, y: int) -> int:
    """Multiply in GCM's field, bit-reflected (NIST SP 800-38D 6.3)."""
    product = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            product ^= y
        y = y >> 1 ^ (0xE1 << 120 if y & 1 else 0)
    return product


def inverse(x: int) -> int:
    """x to the power 2**128 - 2."""
    result, square = 1 << 127, x
    for _ in range(127):
        square = times(square, square)
        result = times(result, square)
    return result


def block(key: bytes, counter: bytes) -> int:
    cipher = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()
    return int.from_bytes(cipher.update(counter), "big")


def two_key_ciphertext(*ciphers: tuple[bytes, bytes]) -> bytes:
    """One block and a tag that two (key, nonce) pairs accept: the block is solved for."""
    lengths = (128).to_bytes(16, "big")
    parts = []
    for key, nonce in ciphers:
        h = block(key, bytes(16))
        constant = times(int.from_bytes(lengths, "big"), h) ^ block(key, nonce + b"\0\0\0\1")
        parts.append((times(h, h), constant))
    (first, a), (second, b) = parts
    free = times(a ^ b, inverse(first ^ second))
    tag = times(free, first) ^ a
    return free.to_bytes(16, "big") + tag.to_bytes(16, "big")


def schedule(key: bytes, salt: bytes, context: bytes) -> tuple[bytes, bytes, bytes]:
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + context
    raw = HKDFExpand(SHA512(), 76, info).derive(key)
    return raw[:32], raw[32:44], raw[44:]


def test_raw_gcm_opens_one_ciphertext_under_two_keys() -> None:
    first, second = b"\1" * 32, b"\2" * 32
    sealed = two_key_ciphertext((first, NONCE), (second, NONCE))
    assert AESGCM(first).decrypt(NONCE, sealed, None) != AESGCM(second).decrypt(NONCE, sealed, None)


def test_the_sealed_format_refuses_a_ciphertext_that_raw_gcm_opens_under_two_keys() -> None:
    keys, salt, context = (b"\1" * 32, b"\2" * 32), b"\3" * 24, b"context"
    derived = [schedule(key, salt, context) for key in keys]
    chunk = two_key_ciphertext(*((key, nonce) for key, nonce, _ in derived))
    for key, nonce, _ in derived:
        assert len(AESGCM(key).decrypt(nonce, chunk, None)) == 16
    for at, (_, _, commitment) in enumerate(derived):
        crafted = salt + commitment + chunk
        assert len(unseal_message(keys[at], context, crafted)) == 16
        with pytest.raises(SealBroken):
            unseal_message(keys[1 - at], context, crafted)


def test_the_commitment_depends_on_key_salt_and_context() -> None:
    seen = {
        Chunks(key, context, salt).commitment
        for key in (b"\1" * 32, b"\2" * 32)
        for context in (b"", b"a")
        for salt in (b"\1" * 24, b"\2" * 24)
    }
    assert len(seen) == 8


@pytest.mark.parametrize("size", [0, 1, 16383, 16384, 16385, 32768, 40000])
def test_every_size_round_trips_and_no_chunk_can_go_or_move(size: int) -> None:
    key, plain = os.urandom(32), os.urandom(size)
    sealed = seal_message(key, b"c", plain, os.urandom)
    assert unseal_message(key, b"c", sealed) == plain
    if size > 16384:
        whole = 16384 + 16
        for cut in (sealed[:-1], sealed[: OVERHEAD + whole], sealed[:OVERHEAD] + sealed[OVERHEAD + whole :]):
            with pytest.raises(SealBroken):
                unseal_message(key, b"c", cut)
