"""Signed heads of an audit log: C2SP checkpoints (tlog-checkpoint) in the signed-note format, Ed25519.

A checkpoint says: this log, of this origin, had so many entries with this root. Several parties may sign
one; a verifier believes it when a key it trusts has, and refuses it when a trusted key's signature is wrong.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from keys.base import Signing
from keys.errors import FormatError, StatementRefused
from keys.merkle import HASH
from keys.signing import SIGNATURE, verify

NOTE_LIMIT = 16 * 1024
_ED25519 = b"\1"
_NAME = re.compile(r"[^\s+]{1,128}\Z")
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\Z")
_DASH = "\u2014"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Head of a log: `origin` names it, `size` counts its entries, `root` is its RFC 6962 root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note's text, which is what gets signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def sign_checkpoint(checkpoint: Checkpoint, signer: Signing) -> str:
    """A note signed in the name of the log's origin."""
    if not _NAME.match(checkpoint.origin):
        raise FormatError("the origin of a log has no spaces and no plus sign")
    text = checkpoint.text()
    public = signer.verifying_key(signer.signing_key)
    return text + "\n" + _line(checkpoint.origin, public, signer.sign(text.encode()))


def cosign_checkpoint(note: str, name: str, signer: Signing) -> str:
    """The note with one more signature, of a witness called `name`; verify the note before signing it."""
    text, _ = _split(note)
    public = signer.verifying_key(signer.signing_key)
    return note + _line(name, public, signer.sign(text.encode()))


def verify_checkpoint(note: str, trusted: Mapping[str, bytes]) -> Checkpoint:
    """The checkpoint of a note that at least one trusted key, by name, has signed.

    Raises StatementRefused when the note is malformed, when no trusted key signed it, or when the
    signature of a trusted key does not hold.
    """
    text, lines = _split(note)
    held = [_held(line, text, trusted) for line in lines]
    if not any(held):
        raise StatementRefused("no trusted key signed the checkpoint")
    return _parse(text)


def note_key_id(name: str, public: bytes) -> bytes:
    """Four bytes that name an Ed25519 key in a signature line."""
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _line(name: str, public: bytes, signature: bytes) -> str:
    if not _NAME.match(name):
        raise FormatError("the name of a signer has no spaces and no plus sign")
    return f"{_DASH} {name} {b64encode(note_key_id(name, public) + signature).decode()}\n"


def _split(note: str) -> tuple[str, list[str]]:
    if len(note) > NOTE_LIMIT or any(ord(c) < 32 and c != "\n" for c in note):
        raise StatementRefused("the checkpoint is too long or has control characters")
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise StatementRefused("the checkpoint has no signatures")
    return text + "\n", signatures[:-1].split("\n")


def _held(line: str, text: str, trusted: Mapping[str, bytes]) -> bool:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        raw = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise StatementRefused("a signature line is not base64") from None
    if b64encode(raw).decode() != encoded:
        # Unused bits of the last character would let one signature be written in several ways.
        raise StatementRefused("a signature line is not canonical base64")
    if dash != _DASH or not _NAME.match(name) or len(raw) < 5:
        raise StatementRefused("a signature line is malformed")
    public = trusted.get(name)
    if public is None or raw[:4] != note_key_id(name, public):
        return False
    if len(raw) != 4 + SIGNATURE:
        raise StatementRefused("a signature line is malformed")
    verify(public, raw[4:], text.encode())
    return True


def _parse(text: str) -> Checkpoint:
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines) or not _SIZE.match(lines[1]):
        raise StatementRefused("the checkpoint is not of three lines")
    try:
        head = b64decode(lines[2], validate=True)
    except binascii.Error:
        raise StatementRefused("the checkpoint's root is not base64") from None
    if len(head) != HASH or b64encode(head).decode() != lines[2]:
        raise StatementRefused("the checkpoint's root is not 32 bytes of canonical base64")
    return Checkpoint(lines[0], int(lines[1]), head)
