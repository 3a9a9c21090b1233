"""One fuzz target per parser of `keys`: any bytes, and nothing but this package's own errors.

`python tests/fuzz/keys NAME [libFuzzer arguments]` runs one under atheris (pip install atheris).
`tests/property/keys` gives each target some thousand mutated inputs in every test run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from keys import Context, MemoryKeyStore, Purpose, seal, unseal
from keys.base45 import decode_base45, encode_base45
from keys.capsule import Capsule, issue_capsule, open_capsule
from keys.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from keys.cobblestone import seal_message, unseal_message
from keys.errors import KeysError
from keys.holder_code import HolderKey, decode_code, decode_holder_key, encode_code
from keys.keyring import Keyring
from keys.merkle import HASH, verify_consistency, verify_inclusion
from keys.slots import Header, Slot, SlotKind, decode_header
from keys.statements import StatementKind, sign_statement, verify_statement
from keys.strict_json import decode_object

Target = Callable[[bytes], object]
CONTEXT = Context(Purpose.REFERENCE, "shop")
KEY = bytes(32)


def make_targets(store: MemoryKeyStore) -> dict[str, tuple[Target, bytes]]:
    """Each target with one valid input to mutate."""
    trusted = {store.signing_key: store.verifying_key(store.signing_key)}
    names = {"log": store.verifying_key(store.signing_key)}
    capsule = Capsule(b"s" * 16, "fp1", 1 << 40, 1.0, bytes(32))
    slot = Slot(SlotKind.CREDENTIAL, 0, bytes(88))

    def ring(data: bytes) -> None:
        opened = Keyring()
        opened.replace_with(bytearray(data))
        opened.close()

    def proofs(data: bytes) -> None:
        nodes = [data[at : at + HASH] for at in range(2, len(data), HASH)]
        first, second = (*data[:2], 0, 0)[:2]
        with contextlib.suppress(KeysError):
            verify_inclusion(KEY, first, second, nodes, KEY)
        verify_consistency((first, KEY), (second, KEY), nodes)

    return {
        "envelope": (lambda d: unseal(d, CONTEXT, store), seal(b"x" * 40, CONTEXT, store)),
        "message": (lambda d: unseal_message(KEY, b"", d), seal_message(KEY, b"", b"x" * 40, bytes)),
        "header": (decode_header, Header(bytes(16), (slot,)).encode()),
        "ring": (ring, bytes(store._ring.encode())),
        "capsule": (
            lambda d: open_capsule(
                d, tenant="t", model="m", store=store, share=KEY, issuers=trusted, now_s=1
            ),
            issue_capsule(capsule, tenant="t", model="m", store=store, share=KEY),
        ),
        "statement": (
            lambda d: verify_statement(StatementKind.RECEIPT, d.decode("latin-1"), trusted),
            sign_statement(StatementKind.RECEIPT, {"a": 1}, store).encode(),
        ),
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
