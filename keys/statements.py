"""Signed statements: receipts, deletion receipts, gallery manifests, approvals and authorisations.

A statement is a JWS in compact form (RFC 7515) with the header {alg, kid, typ} and nothing else, where alg
is "Ed25519" (RFC 9864). The algorithm is pinned by the key: nothing in the token chooses it. Before the
library sees a token its size, alphabet, header and JSON are checked strictly; joserfc then verifies.
Signing goes through the key store, so that the private key may live in a token or a service.
"""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from enum import Enum

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from keys.base import Signing
from keys.errors import FormatError, StatementRefused
from keys.signing import PUBLIC_KEY
from keys.strict_json import Json, decode_object, encode_json
from keys.types import KeyId

ALGORITHM = "Ed25519"
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+\Z")
_HEADER_LIMIT = 256


class StatementKind(Enum):
    """What a statement says; its `typ`. A verifier asks for one kind and takes no other."""

    AUTHORISATION = "fp-auth+jwt"
    RECEIPT = "fp-receipt+jwt"
    DELETION = "fp-deletion+jwt"
    MANIFEST = "fp-manifest+jwt"
    APPROVAL = "fp-approval+jwt"
    CAPSULE = "fp-capsule+jwt"
    CHECKPOINT = "fp-checkpoint+jwt"


PAYLOAD_LIMIT = dict.fromkeys(StatementKind, 4096) | {StatementKind.MANIFEST: 96 * 1024}
"""Longest payload in bytes; only a manifest lists many things."""


def sign_statement(kind: StatementKind, claims: Mapping[str, Json], signer: Signing) -> str:
    """Sign claims as a compact JWS under the active signing key; FormatError when they are too large."""
    header = {"alg": ALGORITHM, "kid": signer.signing_key, "typ": kind.value}
    payload = encode_json(claims)
    if len(payload) > PAYLOAD_LIMIT[kind]:
        raise FormatError(f"claims of {len(payload)} bytes, at most {PAYLOAD_LIMIT[kind]} are allowed")
    message = f"{_encode(encode_json(header))}.{_encode(payload)}"
    return f"{message}.{_encode(signer.sign(message.encode()))}"


def signer_of(token: str) -> KeyId:
    """The key id a statement names; call it only on a statement that was verified.

    Raises StatementRefused for what can be none.
    """
    header = decode_object(_decode(token.split(".", 1)[0]), _HEADER_LIMIT)
    if not isinstance(header.get("kid"), str):
        raise StatementRefused("the statement names no key")
    return KeyId(str(header["kid"]))


def verify_statement(kind: StatementKind, token: str, trusted: Mapping[KeyId, bytes]) -> dict[str, Json]:
    """The claims of a statement that one of the trusted Ed25519 public keys signed.

    Checks form, kind and signature; time limits, audience and replay are the caller's.
    Raises StatementRefused, which names the first reason.
    """
    try:
        public, payload = _require_form(kind, token, trusted)
        claims = decode_object(payload, PAYLOAD_LIMIT[kind])
    except FormatError as error:
        raise StatementRefused(str(error)) from None
    key = OKPKey.import_key({"kty": "OKP", "crv": ALGORITHM, "x": _encode(public)})
    registry = jws.JWSRegistry(algorithms=[ALGORITHM])
    registry.max_payload_length = 2 * PAYLOAD_LIMIT[kind]
    try:
        jws.deserialize_compact(token, key, registry=registry)
    except JoseError:
        raise StatementRefused("the signature does not hold") from None
    return claims


def _require_form(kind: StatementKind, token: str, trusted: Mapping[KeyId, bytes]) -> tuple[bytes, bytes]:
    if len(token) > 2 * (PAYLOAD_LIMIT[kind] + _HEADER_LIMIT):
        raise StatementRefused(f"a statement of {len(token)} characters is too long")
    parts = token.split(".")
    if len(parts) != 3:
        raise StatementRefused("a statement has three parts")
    header = decode_object(_decode(parts[0]), _HEADER_LIMIT)
    key = header.get("kid")
    if header != {"alg": ALGORITHM, "kid": key, "typ": kind.value} or not isinstance(key, str):
        raise StatementRefused(f"the header is not that of a {kind.value} signed with {ALGORITHM}")
    public = trusted.get(KeyId(key))
    if public is None or len(public) != PUBLIC_KEY:
        raise StatementRefused("the statement names a key that is not trusted")
    _decode(parts[2])
    return public, _decode(parts[1])


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    if not _SEGMENT.match(text):
        raise StatementRefused("a part is not base64url")
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise StatementRefused("a part is not base64url") from None
    # Several spellings decode to the same bytes; only the canonical one is a statement.
    if _encode(raw) != text:
        raise StatementRefused("a part is not canonical base64url")
    return raw
