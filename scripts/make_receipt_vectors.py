"""Writes tests/vectors/receipts/statements.json: statements of known validity, under keys made for them only.

Run from the repository root: `python -m scripts.make_receipt_vectors`. The private keys come from the fixed
seeds below and sign nothing else.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import asdict, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from facepay.receipts import Authorised, StatementIssuer
from facepay.receipts.trust import write_key_set
from keys.statements import StatementKind, sign_statement
from keys.types import KeyId

OUT = Path("tests/vectors/receipts/statements.json")
NOW = 1_763_812_800
SAID = Authorised(
    payee="Corner shop",
    amount=1240,
    currency="EUR",
    terminal="T1",
    request="rest/T1/till-1/0042",
    payment="8f2c0d9be41a7735aa10c3d2",
    payer="0123456789abcdef01234567",
    liveness=2,
    factor="pin",
    iat=NOW,
    exp=NOW + 60,
    nonce="000102030405060708090a0b0c0d0e0f",
)


class VectorKey:
    """A signing key for vectors; satisfies `keys.base.Signing`."""

    def __init__(self, name: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"vectors {name}".encode()).digest())
        self.signing_key = KeyId(name)

    def verifying_key(self, key: KeyId) -> bytes:
        """The public key, 32 bytes."""
        del key
        return self._key.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self._key.sign(data)


def encode(value: object) -> str:
    """Canonical JSON as base64url."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def raw(signer: VectorKey, header: object, claims: object) -> str:
    """A statement with any header and claims, well signed."""
    message = f"{encode(header)}.{encode(claims)}"
    return f"{message}.{urlsafe_b64encode(signer.sign(message.encode())).rstrip(b'=').decode()}"


def cases(signer: VectorKey, other: VectorKey) -> list[dict[str, object]]:
    """Name, validity, comment and text of each statement."""
    good = StatementIssuer(signer, now_s=lambda: NOW).sign(SAID)
    claims = {"v": 1, **asdict(SAID)}
    head, payload, signature = good.split(".")
    header = {"alg": "Ed25519", "kid": signer.signing_key, "typ": "fp-auth+jwt"}
    umlaut = StatementIssuer(signer, now_s=lambda: NOW).sign(replace(SAID, payee="Bäckerei Größe"))
    forged = encode({**claims, "amount": 1})
    undated = {name: value for name, value in claims.items() if name != "exp"}
    found = [
        ("valid", True, "a statement as the terminal makes it", good),
        ("valid_with_prefix", True, "the text of the QR code", f"FACEPAY1:{good}"),
        ("valid_utf8", True, "names are UTF-8, not escaped", umlaut),
        ("amount_changed", False, "payload changed after signing", f"{head}.{forged}.{signature}"),
        ("signature_cut", False, "the signature lacks its last character", good[:-1]),
        ("signature_empty", False, "no signature", f"{head}.{payload}."),
        ("two_parts", False, "no signature part", f"{head}.{payload}"),
        ("key_unknown", False, "well signed by a key that is not in the set", _by(other)),
        ("key_name_stolen", False, "another key under a trusted name", raw(other, header, claims)),
        ("alg_none", False, "algorithm none", raw(signer, {**header, "alg": "none"}, claims)),
        (
            "alg_eddsa",
            False,
            "the algorithm's deprecated name",
            raw(signer, {**header, "alg": "EdDSA"}, claims),
        ),
        ("other_kind", False, "another kind", sign_statement(StatementKind.RECEIPT, claims, signer)),
        ("header_more", False, "a header with more in it", raw(signer, {**header, "crit": ["b64"]}, claims)),
        ("claim_missing", False, "no expiry", raw(signer, header, undated)),
        ("claim_unknown", False, "a claim nobody knows", raw(signer, header, {**claims, "tip": 100})),
        ("version_2", False, "a newer version", raw(signer, header, {**claims, "v": 2})),
        ("amount_text", False, "an amount that is text", raw(signer, header, {**claims, "amount": "1240"})),
        ("amount_zero", False, "nothing to pay", raw(signer, header, {**claims, "amount": 0})),
        ("lives_too_long", False, "a life of 61 s", raw(signer, header, {**claims, "exp": NOW + 61})),
        ("not_canonical", False, "stray bits at the end", f"{head}.{payload}.{_stray(signature)}"),
        ("padded", False, "base64 padding", f"{head}.{payload}.{signature}=="),
    ]
    return [{"name": n, "valid": v, "comment": c, "statement": s} for n, v, c, s in found]


def _by(signer: VectorKey) -> str:
    return StatementIssuer(signer, now_s=lambda: NOW).sign(SAID)


def _stray(signature: str) -> str:
    # 64 bytes leave four unused bits in the last character; setting one decodes to the same bytes.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ 1]


def main() -> None:
    """Write the file."""
    signer, other = VectorKey("vector-key-1"), VectorKey("vector-key-2")
    key = signer.signing_key
    document = {
        "comment": "Made by scripts/make_receipt_vectors.py. The keys sign nothing but these vectors.",
        "keys": json.loads(write_key_set({key: signer.verifying_key(key)}))["keys"],
        "claims_of_valid": {"v": 1, **asdict(SAID)},
        "cases": cases(signer, other),
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
