from __future__ import annotations

import pytest

from keys import Context, MemoryKeyStore, Purpose, seal, unseal
from keys.envelope import decode_envelope, rewrap, seal_envelope, unseal_envelope
from keys.errors import FormatError, KeysError, KeyUnavailable, SealBroken
from keys.types import KeyState, KeyUse

CONTEXT = Context(Purpose.REFERENCE, "shop-1", subject="ab" * 16, reference="cd" * 16, model="ef" * 32)
PLAIN = bytes(range(256)) * 4


def test_what_was_sealed_opens_in_its_context() -> None:
    with MemoryKeyStore() as store:
        assert unseal(seal(PLAIN, CONTEXT, store), CONTEXT, store) == PLAIN


@pytest.mark.parametrize(
    "other",
    [
        Context(Purpose.SEGMENT, "shop-1", subject="ab" * 16, reference="cd" * 16, model="ef" * 32),
        Context(Purpose.REFERENCE, "shop-2", subject="ab" * 16, reference="cd" * 16, model="ef" * 32),
        Context(Purpose.REFERENCE, "shop-1", subject="ac" * 16, reference="cd" * 16, model="ef" * 32),
        Context(Purpose.REFERENCE, "shop-1", subject="ab" * 16, reference="ce" * 16, model="ef" * 32),
        Context(Purpose.REFERENCE, "shop-1", subject="ab" * 16, reference="cd" * 16, model="ee" * 32),
        Context(Purpose.REFERENCE, "shop-1", "ab" * 16, "cd" * 16, "ef" * 32, record_version=2),
    ],
    ids=["purpose", "tenant", "subject", "reference", "model", "version"],
)
def test_a_record_moved_to_another_context_does_not_open(other: Context) -> None:
    with MemoryKeyStore() as store:
        sealed = seal(PLAIN, CONTEXT, store)
        with pytest.raises(SealBroken):
            unseal(sealed, other, store)


def test_every_flipped_bit_of_a_record_is_refused() -> None:
    with MemoryKeyStore() as store:
        sealed = bytearray(seal(PLAIN[:64], CONTEXT, store))
        for bit in range(len(sealed) * 8):
            sealed[bit // 8] ^= 1 << bit % 8
            with pytest.raises(KeysError):
                unseal(sealed, CONTEXT, store)
            sealed[bit // 8] ^= 1 << bit % 8
        assert unseal(sealed, CONTEXT, store) == PLAIN[:64]


def test_a_record_cut_at_any_length_is_refused() -> None:
    with MemoryKeyStore() as store:
        sealed = seal(PLAIN, CONTEXT, store)
        for size in range(len(sealed)):
            with pytest.raises(KeysError):
                unseal(sealed[:size], CONTEXT, store)
        with pytest.raises(KeysError):
            unseal(sealed + b"\0", CONTEXT, store)


def test_a_newer_version_is_named_in_the_error() -> None:
    with MemoryKeyStore() as store:
        sealed = bytearray(seal(PLAIN, CONTEXT, store))
        sealed[3] = 2
        with pytest.raises(FormatError, match="version 2"):
            unseal(sealed, CONTEXT, store)


def test_another_record_of_the_same_subject_cannot_lend_its_key_or_body() -> None:
    with MemoryKeyStore() as store:
        first, second = (seal_envelope(PLAIN, CONTEXT, store) for _ in range(2))
        with pytest.raises(SealBroken):
            unseal_envelope(type(first)(first.wrapped, second.body), CONTEXT, store)


def test_rewrapping_changes_the_key_and_leaves_the_body_alone() -> None:
    with MemoryKeyStore() as store:
        before = seal_envelope(PLAIN, CONTEXT, store)
        new = store.generate(KeyUse.WRAP)
        store.advance(new, KeyState.ACTIVE)
        after = rewrap(before, CONTEXT, store)
        assert after.wrapped.key == new
        assert after.body == before.body
        store.advance(before.wrapped.key, KeyState.DESTROYED)
        assert unseal_envelope(after, CONTEXT, store) == PLAIN
        with pytest.raises(KeyUnavailable):
            unseal_envelope(before, CONTEXT, store)


def test_rewrapping_refuses_a_body_that_the_key_does_not_open() -> None:
    with MemoryKeyStore() as store:
        first, second = (seal_envelope(PLAIN, CONTEXT, store) for _ in range(2))
        with pytest.raises(SealBroken):
            rewrap(type(first)(first.wrapped, second.body), CONTEXT, store)


def test_a_sealed_record_shows_nothing_in_its_repr() -> None:
    with MemoryKeyStore() as store:
        envelope = decode_envelope(seal(PLAIN, CONTEXT, store))
        assert "blob" not in repr(envelope)
        assert "body" not in repr(envelope)
