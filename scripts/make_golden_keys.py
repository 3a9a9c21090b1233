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

from keys import Context, Purpose, seal
from keys.capsule import Capsule, issue_capsule
from keys.checkpoint import Checkpoint, sign_checkpoint
from keys.keyed import seal_keyed
from keys.keystore_file import create_file_keystore
from keys.passphrase import FLOOR
from keys.statements import StatementKind, sign_statement

PASSPHRASE = "golden passphrase"


def main() -> None:
    """Print the examples as JSON."""
    context = Context(Purpose.REFERENCE, "golden", "ab" * 16, "cd" * 16, "ef" * 32, 3)
    capsule = Capsule(b"golden subject..", "fp0000000001", 4_000_000_000, 0.5, bytes(range(256)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "keys.fpk"
        with create_file_keystore(path, PASSPHRASE, cost=FLOOR) as store:
            keyed = seal_keyed(b"golden", context, ("123456", "+490"), store, cost=FLOOR)
            made = {
                "envelope": seal(b"golden", context, store),
                "capsule": issue_capsule(capsule, tenant="golden", model="ef" * 32, store=store),
                "keyed": keyed,
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
