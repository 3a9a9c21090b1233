"""One fuzz target per parser of `keys`: any bytes, and nothing but this package's own errors.

`python tests/fuzz/keys NAME [libFuzzer arguments]` runs one under atheris (pip install atheris).
`tests/property/keys` gives each target some thousand mutated inputs in every test run, runs its corpus, and
fails where a parser of `keys` is in no target.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from keys import Context, MemoryKeyStore, Purpose, seal, unseal
from keys import capsule as capsules
from keys.approvals import Action, approve, read_approvals
from keys.base45 import decode_base45, encode_base45
from keys.capsule import Capsule, issue_capsule, open_capsule
from keys.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from keys.cobblestone import CHUNK, plain_size, seal_message, unseal_message, unseal_message_into
from keys.envelope import decode_envelope, unseal_each_into
from keys.errors import KeysError
from keys.escrow import join_root, split_root
from keys.holder_code import HolderKey, decode_code, decode_holder_key, encode_code
from keys.keyed import Bearer, seal_keyed, unseal_keyed
from keys.keyring import Keyring
from keys.keystore_vault import VaultKeys
from keys.merkle import HASH, verify_consistency, verify_inclusion
from keys.opening import open_keystore, uri_options
from keys.passphrase import FLOOR
from keys.pins import make_pin_record, require_pin
from keys.slots import (
    Header,
    Slot,
    SlotKind,
    SlotPlace,
    cost_of,
    decode_header,
    lock_with_credential,
    unlock_into,
)
from keys.statements import StatementKind, sign_statement, signer_of, verify_statement
from keys.stretching import parse_cost
from keys.strict_json import decode_object
from keys.tpm2_slot import ChipBlob, lock_with_chip, unlock_with_chip_into
from keys.types import KeyId
from keys.xaes import Xaes256Gcm, unwrap_key_into, wrap_key

Target = Callable[[bytes], object]
CONTEXT = Context(Purpose.REFERENCE, "shop")
KEY = bytes(32)
SLOW = frozenset({"keyed", "pin_record"})
"""Targets behind Argon2id: some fifty runs a second, whatever the bytes."""


class AnyChip:
    """Satisfies `Chip` with a secret that everybody knows: what is fuzzed is the slot around it."""

    def seal(self, secret: bytearray, pcrs: frozenset[int]) -> ChipBlob:
        return ChipBlob(b"public", bytes(secret))

    def unseal_into(self, blob: ChipBlob, pcrs: frozenset[int], out: bytearray) -> None:
        out[:] = blob.private.ljust(len(out), b"\1")[: len(out)]


class AnyVault(VaultKeys):
    """A vault that answers every question with the same bytes."""

    answer = b""

    def _exchange(self, method: str, path: str, body: object) -> tuple[int, bytes]:
        return 200, self.answer


def make_targets(store: MemoryKeyStore) -> dict[str, tuple[Target, bytes]]:
    """Each target with one valid input to mutate, made with this store's keys."""
    trusted = {store.signing_key: store.verifying_key(store.signing_key)}
    names = {"log": store.verifying_key(store.signing_key)}
    capsule = Capsule(b"s" * 16, "fp1", 1 << 40, 1.0, bytes(32))
    place, secret = SlotPlace(bytes(16), 0), bytearray(KEY)
    slot = lock_with_credential(secret, secret, place, random=bytes)
    chip, bearer = AnyChip(), Bearer("2580", bytes(16))
    vault, cipher = AnyVault("http://localhost", "token"), Xaes256Gcm(KEY)
    shares = split_root(secret)

    def ring(data: bytes) -> None:
        opened = Keyring()
        opened.replace_with(bytearray(data))
        opened.close()

    def chunked(data: bytes) -> None:
        unseal_message_into(KEY, b"", data, bytearray(plain_size(len(data))))

    def header(data: bytes) -> None:
        for one in decode_header(data)[0].slots:
            with contextlib.suppress(KeysError):
                cost_of(one)
            if one.kind is SlotKind.CREDENTIAL:
                unlock_into(one, secret, place.store_id, bytearray(32))

    def statement(data: bytes) -> None:
        token = data.decode("latin-1")
        with contextlib.suppress(KeysError):
            signer_of(token)
        verify_statement(StatementKind.RECEIPT, token, trusted)

    def uri(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        with contextlib.suppress(KeysError):
            parse_cost(text)
        with contextlib.suppress(KeysError):
            uri_options(text, frozenset({"slot", "ring"}))
        # Stores other than this one would look at files and devices.
        if text.startswith("memory:"):
            open_keystore(text, lambda: "").close()

    def answered(data: bytes) -> None:
        vault.answer = data
        vault.decrypt_into(KeyId("00" * 8), b"vault:v1:", b"", bytearray(32))

    def proofs(data: bytes) -> None:
        nodes = [data[at : at + HASH] for at in range(2, len(data), HASH)]
        first, second = (*data[:2], 0, 0)[:2]
        with contextlib.suppress(KeysError):
            verify_inclusion(KEY, first, second, nodes, KEY)
        verify_consistency((first, KEY), (second, KEY), nodes)

    def envelope(data: bytes) -> None:
        taken = decode_envelope(data)
        place = (CONTEXT.purpose, CONTEXT.tenant, CONTEXT.subject, CONTEXT.reference, CONTEXT.model, 1)
        out = memoryview(bytearray(max(0, plain_size(len(taken.body)))))
        (error,) = unseal_each_into([(taken.wrapped, taken.body, place, out)], store)
        # Thousands at once open what one alone opens, and nothing else.
        try:
            assert unseal(data, CONTEXT, store) == out, "opened to something else"
            assert error is None
        except KeysError:
            assert error is not None
            assert not any(out)

    return {
        "envelope": (envelope, seal(b"x" * 40, CONTEXT, store)),
        "message": (lambda d: unseal_message(KEY, b"", d), seal_message(KEY, b"", b"x" * 40, bytes)),
        "chunked": (chunked, seal_message(KEY, b"", bytes(CHUNK), bytes)),
        "header": (header, Header(bytes(16), (slot,)).encode()),
        "chip_slot": (
            lambda d: unlock_with_chip_into(Slot(SlotKind.TPM2, 0, d), chip, place.store_id, bytearray(32)),
            lock_with_chip(secret, chip, place, frozenset({7}), random=bytes).payload,
        ),
        "wrapped_key": (
            lambda d: unwrap_key_into(cipher, d, b"", bytearray(32)),
            wrap_key(cipher, KEY, b"", bytes),
        ),
        "ring": (ring, bytes(store._ring.encode())),
        "capsule": (
            lambda d: open_capsule(
                d, tenant="t", model="m", store=store, share=KEY, issuers=trusted, now_s=1
            ),
            issue_capsule(capsule, tenant="t", model="m", store=store, share=KEY),
        ),
        "capsule_content": (lambda d: capsules._decode(bytearray(d)), bytes(capsules._encode(capsule))),
        "keyed": (
            lambda d: unseal_keyed(d, CONTEXT, bearer, store, cost=FLOOR),
            seal_keyed(bytes(32), CONTEXT, bearer, store, cost=FLOOR),
        ),
        "pin_record": (
            lambda d: require_pin("2580", "fp1", d.decode("latin-1"), store),
            make_pin_record("2580", "fp1", store, cost=FLOOR).encode(),
        ),
        "statement": (statement, sign_statement(StatementKind.RECEIPT, {"a": 1}, store).encode()),
        "approval": (
            lambda d: read_approvals([d.decode("latin-1")], Action.DESTROY, "k", trusted, now_s=1),
            approve(Action.DESTROY, "k", store, now_s=1).encode(),
        ),
        "shares": (
            lambda d: join_root(d.decode("utf-8", "replace").split("/")),
            "/".join(shares[:2]).encode(),
        ),
        "uri": (uri, b"memory:"),
        "vault_answer": (answered, b'{"data": {"plaintext": "' + b"A" * 43 + b'="}}'),
        "checkpoint": (
            lambda d: verify_checkpoint(d.decode("utf-8", "replace"), names),
            sign_checkpoint(Checkpoint("log", 1, KEY), store).encode(),
        ),
        "json": (lambda d: decode_object(d, 4096), b'{"a":[1,{"b":"c"}],"d":null}'),
        "code": (lambda d: decode_code(d.decode("latin-1")), encode_code(b"capsule").encode()),
        "holder_key": (decode_holder_key, HolderKey(bytes(16), bytes(16)).encode()),
        "base45": (lambda d: decode_base45(d.decode("latin-1"), 900), encode_base45(b"capsule").encode()),
        "proofs": (proofs, bytes((1, 4)) + bytes(HASH) * 3),
    }


def once(target: Target, data: bytes) -> None:
    """Run a target; every error that is not ours is a finding."""
    with contextlib.suppress(KeysError):
        target(data)
