"""Nonces of wraps do not repeat, data keys are never used twice, and refusals look alike."""

from __future__ import annotations

import os

import pytest

from keys import Context, MemoryKeyStore, Purpose, seal
from keys.envelope import decode_envelope, seal_envelope, unseal_envelope
from keys.errors import KeyUnavailable, SealBroken
from keys.types import WrappedKey
from keys.xaes import NONCE

WRAPS = int(os.environ.get("FACEPAY_WRAPS", "100000"))
"""A full run is a million: FACEPAY_WRAPS=1000000."""
CONTEXT = Context(Purpose.REFERENCE, "shop")


def test_no_nonce_repeats_over_many_wraps() -> None:
    with MemoryKeyStore() as store:
        key = bytearray(32)
        nonces = {store.wrap(key, b"").blob[:NONCE] for _ in range(WRAPS)}
    assert len(nonces) == WRAPS


def test_every_record_has_a_data_key_and_salt_of_its_own() -> None:
    with MemoryKeyStore() as store:
        data_keys, salts = set(), set()
        for _ in range(2_000):
            envelope = seal_envelope(b"x", CONTEXT, store)
            out = bytearray(32)
            associated = b"FPE\x01\x01" + _encoded()
            store.unwrap_into(envelope.wrapped, associated, out)
            data_keys.add(bytes(out))
            salts.add(envelope.body[:24])
        assert len(data_keys) == len(salts) == 2_000


def test_every_refusal_to_open_reads_the_same() -> None:
    with MemoryKeyStore() as store, MemoryKeyStore() as other:
        good = decode_envelope(seal(b"x" * 100, CONTEXT, store))
        body, blob = good.body, good.wrapped.blob
        bad = [
            (WrappedKey(good.wrapped.key, blob[:-1] + bytes([blob[-1] ^ 1])), body, CONTEXT),
            (WrappedKey(good.wrapped.key, blob[:-1]), body, CONTEXT),
            (good.wrapped, body[:-1] + bytes([body[-1] ^ 1]), CONTEXT),
            (good.wrapped, bytes([body[0] ^ 1]) + body[1:], CONTEXT),
            (good.wrapped, body[:40] + bytes([body[40] ^ 1]) + body[41:], CONTEXT),
            (good.wrapped, body[:60], CONTEXT),
            (good.wrapped, body, Context(Purpose.REFERENCE, "another")),
        ]
        texts = set()
        for wrapped, changed, context in bad:
            try:
                unseal_envelope(type(good)(wrapped, changed), context, store)
            except SealBroken as error:
                texts.add((str(error), error.__cause__))
        assert texts == {("sealed data does not open here", None)}
        with pytest.raises(KeyUnavailable):
            unseal_envelope(good, CONTEXT, other)


def _encoded() -> bytes:
    from keys.context import encode_context

    return encode_context(CONTEXT)
