"""Writes one example of every sealed format of this release, for `tests/vectors/keys/test_golden.py`.

Run once for a new format version: `python scripts/make_golden_keys.py 1 > tests/vectors/keys/golden/v1.json`.
A file that was written is never changed: later releases must go on reading it.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from facepay.gallery.segments import Manifest, seal_segment, segment_place, sign_manifest
from facepay.types import ModelId, SubjectId
from keys import Context, Purpose, seal
from keys.capsule import Capsule, issue_capsule
from keys.checkpoint import Checkpoint, sign_checkpoint
from keys.holder_code import HolderKey, encode_code
from keys.keyed import Bearer, seal_keyed
from keys.keystore_file import create_file_keystore
from keys.passphrase import FLOOR
from keys.statements import StatementKind, sign_statement

PASSPHRASE = "golden passphrase"
MODEL = ModelId("ef" * 32)
SHARE_OF_CAPSULE = bytes(range(32))


def main() -> None:
    """Print the examples as JSON."""
    context = Context(Purpose.REFERENCE, "golden", "ab" * 16, "cd" * 16, "ef" * 32, 3)
    capsule = Capsule(b"golden subject..", "fp0000000001", 4_000_000_000, 0.5, bytes(range(256)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "keys.fpk"
        with create_file_keystore(path, PASSPHRASE, cost=FLOOR) as store:
            holder = HolderKey(b"golden reference", b"golden secret 16")
            keyed = seal_keyed(b"golden", context, Bearer("123456", holder.secret), store, cost=FLOOR)
            rows = np.eye(4, 8, dtype=np.float32)
            place = segment_place("golden", MODEL, 7, 0)
            made = {
                "envelope": seal(b"golden", context, store),
                "capsule": issue_capsule(
                    capsule, tenant="golden", model=MODEL, store=store, share=SHARE_OF_CAPSULE
                ),
                "keyed": keyed,
                "holder": encode_code(holder.encode()).encode(),
                "segment": seal_segment([SubjectId(f"{n:032x}") for n in range(4)], rows, place, store),
                "manifest": sign_manifest(
                    Manifest(7, 1, 4_000_000_000, (SubjectId("ab" * 16),)), "golden", MODEL, store
                ).encode(),
                "statement": sign_statement(StatementKind.RECEIPT, {"golden": 1}, store).encode(),
                "checkpoint": sign_checkpoint(Checkpoint("golden", 1, bytes(32)), store).encode(),
                "signer": bytes.fromhex(store.signing_key),
                "public": store.verifying_key(store.signing_key),
            }
        made["keystore"] = path.read_bytes()
    record = {name: base64.b64encode(raw).decode() for name, raw in made.items()}
    print(json.dumps({"version": int(sys.argv[1]), "passphrase": PASSPHRASE, **record}, indent=1))


if __name__ == "__main__":
    main()
