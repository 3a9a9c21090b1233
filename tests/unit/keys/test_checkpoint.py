from __future__ import annotations

import pytest

from keys import MemoryKeyStore
from keys.checkpoint import Checkpoint, cosign_checkpoint, sign_checkpoint, verify_checkpoint
from keys.errors import FormatError, StatementRefused
from keys.merkle import leaf_hash, root

HEAD = Checkpoint("shop.example/audit", 3, root([leaf_hash(b"x")] * 3))


def key_of(store: MemoryKeyStore) -> bytes:
    return store.verifying_key(store.signing_key)


def test_a_checkpoint_verifies_and_reads_as_three_lines_and_a_signature() -> None:
    with MemoryKeyStore() as store:
        note = sign_checkpoint(HEAD, store)
        assert verify_checkpoint(note, {HEAD.origin: key_of(store)}) == HEAD
        lines = note.split("\n")
        assert lines[:2] == ["shop.example/audit", "3"]
        assert lines[3] == ""
        assert lines[4].startswith("\u2014 shop.example/audit ")


def test_every_changed_character_is_refused() -> None:
    with MemoryKeyStore() as store:
        note, trusted = sign_checkpoint(HEAD, store), {HEAD.origin: key_of(store)}
        for at, char in enumerate(note):
            for other in ("A" if char != "A" else "B", ""):
                with pytest.raises(StatementRefused):
                    verify_checkpoint(note[:at] + other + note[at + 1 :], trusted)
        for size in range(len(note)):
            with pytest.raises(StatementRefused):
                verify_checkpoint(note[:size], trusted)


def test_a_witness_adds_a_signature_and_an_unknown_one_is_ignored() -> None:
    with MemoryKeyStore() as log, MemoryKeyStore() as witness, MemoryKeyStore() as stranger:
        note = cosign_checkpoint(sign_checkpoint(HEAD, log), "back-office.example", witness)
        both = {HEAD.origin: key_of(log), "back-office.example": key_of(witness)}
        assert verify_checkpoint(note, both) == HEAD
        assert verify_checkpoint(cosign_checkpoint(note, "stranger.example", stranger), both) == HEAD
        assert verify_checkpoint(note, {"back-office.example": key_of(witness)}) == HEAD


def test_nobody_trusted_is_refused() -> None:
    with MemoryKeyStore() as log, MemoryKeyStore() as other:
        note = sign_checkpoint(HEAD, log)
        for trusted in ({}, {HEAD.origin: key_of(other)}, {"other.example": key_of(log)}):
            with pytest.raises(StatementRefused, match="no trusted key"):
                verify_checkpoint(note, trusted)


def test_a_wrong_signature_of_a_trusted_witness_spoils_the_note() -> None:
    with MemoryKeyStore() as log, MemoryKeyStore() as witness:
        other = cosign_checkpoint(sign_checkpoint(Checkpoint("o", 1, HEAD.root), log), "w", witness)
        note = sign_checkpoint(HEAD, log) + other.splitlines(keepends=True)[-1]
        with pytest.raises(StatementRefused):
            verify_checkpoint(note, {HEAD.origin: key_of(log), "w": key_of(witness)})


@pytest.mark.parametrize("text", ["a\n01\n", "a\n-1\n", "a\n1\nAAAA\n", "a\n1\n\n", "\n1\nx\n", "a\n1\n"])
def test_a_malformed_text_is_refused_although_signed(text: str) -> None:
    with MemoryKeyStore() as store:
        name = "a"
        note = cosign_checkpoint(text + f"\n{chr(0x2014)} x AAAAAAAA\n", name, store)
        with pytest.raises(StatementRefused):
            verify_checkpoint(note, {name: key_of(store)})


@pytest.mark.parametrize("origin", ["", "two words", "a+b"])
def test_an_origin_that_cannot_be_written_is_refused(origin: str) -> None:
    with MemoryKeyStore() as store, pytest.raises(FormatError):
        sign_checkpoint(Checkpoint(origin, 0, bytes(32)), store)
