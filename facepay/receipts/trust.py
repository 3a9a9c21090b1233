"""Which public keys count: from the key store, or from a JWK set (RFC 7517) that was handed out."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping

from keys import KeyId, KeyState, KeyStore, KeyUse
from keys.errors import FormatError

PUBLIC_KEY = 32


def trusted_by(store: KeyStore) -> dict[KeyId, bytes]:
    """The public signing keys of a key store, retired ones included: old receipts stay genuine."""
    return {
        record.key: store.verifying_key(record.key)
        for record in store.records()
        if record.use is KeyUse.SIGN and record.state not in {KeyState.PENDING, KeyState.DESTROYED}
    }


def write_key_set(trusted: Mapping[KeyId, bytes]) -> str:
    """The keys as a JWK set, to be published and used offline."""
    keys = [
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "kid": key,
            "x": urlsafe_b64encode(public).rstrip(b"=").decode(),
        }
        for key, public in trusted.items()
    ]
    return json.dumps({"keys": keys}, indent=2) + "\n"


def read_key_set(text: str) -> dict[KeyId, bytes]:
    """The Ed25519 keys of a JWK set; keys of other kinds are passed over.

    Raises:
        FormatError: It is no JWK set, or holds no usable key.
    """
    try:
        found = [_read_key(jwk) for jwk in json.loads(text)["keys"] if jwk.get("crv") == "Ed25519"]
    except (ValueError, KeyError, TypeError, AttributeError, Base64Error) as error:
        raise FormatError("this is no JWK set with Ed25519 keys") from error
    if not found:
        raise FormatError("this JWK set has no Ed25519 key")
    return dict(found)


def _read_key(jwk: Mapping[str, str]) -> tuple[KeyId, bytes]:
    public = urlsafe_b64decode(jwk["x"] + "=" * (-len(jwk["x"]) % 4))
    if len(public) != PUBLIC_KEY:
        raise ValueError("an Ed25519 public key has 32 bytes")
    return KeyId(str(jwk["kid"])), public
