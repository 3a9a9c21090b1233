"""Examples written by each release go on opening; another version in their place is refused by name."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from facepay.errors import ReferenceUnreadable
from facepay.gallery.segments import open_segment, read_manifest, segment_place
from facepay.types import ModelId, SubjectId
from keys import Context, Purpose, unseal
from keys.capsule import open_capsule
from keys.checkpoint import verify_checkpoint
from keys.errors import FormatError, SealBroken
from keys.holder_code import decode_code, decode_holder_key, encode_code
from keys.keyed import Bearer, unseal_keyed
from keys.keystore_file import FileKeyStore, open_file_keystore
from keys.passphrase import FLOOR
from keys.statements import StatementKind, verify_statement
from keys.types import KeyId

GOLDEN = Path(__file__).parent / "golden"
CONTEXT = Context(Purpose.REFERENCE, "golden", "ab" * 16, "cd" * 16, "ef" * 32, 3)
MODEL = ModelId("ef" * 32)
SHARE = bytes(range(32))
BEARER = Bearer("123456", b"golden secret 16")
PLACE = segment_place("golden", MODEL, 7, 0)


class Example:
    def __init__(self, path: Path) -> None:
        record = json.loads(path.read_text("utf-8"))
        self.passphrase = record.pop("passphrase")
        self.version = record.pop("version")
        self.raw = {name: base64.b64decode(text) for name, text in record.items()}
        self.trusted = {KeyId(self.raw["signer"].hex()): self.raw["public"]}


@pytest.fixture(params=sorted(GOLDEN.glob("v*.json")), ids=lambda path: path.stem)
def example(request: pytest.FixtureRequest) -> Example:
    return Example(request.param)


@pytest.fixture
def store(example: Example, tmp_path: Path) -> Iterator[FileKeyStore]:
    path = tmp_path / "keys.fpk"
    path.touch(mode=0o600)
    path.write_bytes(example.raw["keystore"])
    with open_file_keystore(path, lambda: example.passphrase) as opened:
        yield opened


def test_every_format_of_every_release_opens(example: Example, store: FileKeyStore) -> None:
    raw = example.raw
    assert unseal(raw["envelope"], CONTEXT, store) == b"golden"
    assert unseal_keyed(raw["keyed"], CONTEXT, BEARER, store, cost=FLOOR) == b"golden"
    given = {"tenant": "golden", "model": MODEL, "issuers": example.trusted, "now_s": 1, "share": SHARE}
    assert open_capsule(raw["capsule"], store=store, **given).account == "fp0000000001"
    assert decode_holder_key(decode_code(raw["holder"].decode())).secret == BEARER.secret
    segment = open_segment(raw["segment"], PLACE, store)
    assert (segment.size, segment.subject(3)) == (4, SubjectId(f"{3:032x}"))
    manifest = raw["manifest"].decode()
    read = read_manifest(manifest, ("golden", MODEL), example.trusted, seen_epoch=7, now_s=1)
    assert (read.epoch, read.tombstones) == (7, (SubjectId("ab" * 16),))
    token = raw["statement"].decode()
    assert verify_statement(StatementKind.RECEIPT, token, example.trusted) == {"golden": 1}
    assert verify_checkpoint(raw["checkpoint"].decode(), {"golden": raw["public"]}).size == 1


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_refused_and_never_guessed(
    example: Example, store: FileKeyStore, version: int, tmp_path: Path
) -> None:
    def changed(name: str) -> bytes:
        raw = bytearray(example.raw[name])
        raw[3] = version
        return bytes(raw)

    with pytest.raises(FormatError, match=f"version {version}"):
        unseal(changed("envelope"), CONTEXT, store)
    given = {"tenant": "golden", "model": MODEL, "issuers": example.trusted, "now_s": 1, "share": SHARE}
    with pytest.raises(FormatError, match=f"version {version}"):
        open_capsule(changed("capsule"), store=store, **given)
    with pytest.raises(ReferenceUnreadable, match=f"version {version}"):
        open_segment(changed("segment"), PLACE, store)
    holder = bytearray(decode_code(example.raw["holder"].decode()))
    holder[3] = version
    with pytest.raises(FormatError, match=f"version {version}"):
        decode_holder_key(decode_code(encode_code(bytes(holder))))
    with pytest.raises(SealBroken):
        unseal_keyed(changed("keyed"), CONTEXT, BEARER, store, cost=FLOOR)
    path = tmp_path / "other.fpk"
    path.touch(mode=0o600)
    path.write_bytes(changed("keystore"))
    with pytest.raises(FormatError, match=f"version {version}"):
        open_file_keystore(path, lambda: example.passphrase)
