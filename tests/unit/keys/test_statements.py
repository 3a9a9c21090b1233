from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey

from keys import MemoryKeyStore
from keys.errors import FormatError, StatementRefused
from keys.statements import StatementKind, sign_statement, verify_statement
from keys.types import KeyId, KeyState, KeyUse

CLAIMS = {"iss": "terminal-1", "amt": 1250, "cur": "EUR", "payee": "Bäckerei"}
KIND = StatementKind.AUTHORISATION


def b64(raw: bytes | str) -> str:
    return urlsafe_b64encode(raw.encode() if isinstance(raw, str) else raw).rstrip(b"=").decode()


def trusted(store: MemoryKeyStore) -> dict[KeyId, bytes]:
    return {store.signing_key: store.verifying_key(store.signing_key)}


def forge(store: MemoryKeyStore, header: str, payload: str) -> str:
    message = f"{b64(header)}.{b64(payload)}"
    return f"{message}.{b64(store.sign(message.encode()))}"


def test_a_statement_verifies_and_gives_its_claims() -> None:
    with MemoryKeyStore() as store:
        assert verify_statement(KIND, sign_statement(KIND, CLAIMS, store), trusted(store)) == CLAIMS


def test_an_independent_library_verifies_our_statement_and_we_verify_its() -> None:
    key = OKPKey.generate_key("Ed25519")
    kid = KeyId("11" * 8)
    token = jws.serialize_compact(
        {"alg": "Ed25519", "kid": kid, "typ": KIND.value}, json.dumps(CLAIMS), key, algorithms=["Ed25519"]
    )
    raw = key.raw_value.public_key().public_bytes_raw()  # type: ignore[attr-defined]
    assert verify_statement(KIND, token, {kid: raw}) == CLAIMS
    with MemoryKeyStore() as store:
        public = OKPKey.import_key(
            {"kty": "OKP", "crv": "Ed25519", "x": b64(trusted(store)[store.signing_key])}
        )
        ours = jws.deserialize_compact(sign_statement(KIND, CLAIMS, store), public, algorithms=["Ed25519"])
        assert json.loads(ours.payload) == CLAIMS


def test_a_statement_of_another_kind_is_refused() -> None:
    with MemoryKeyStore() as store:
        token = sign_statement(StatementKind.RECEIPT, CLAIMS, store)
        with pytest.raises(StatementRefused, match="header"):
            verify_statement(KIND, token, trusted(store))


@pytest.mark.parametrize("algorithm", ["none", "HS256", "EdDSA", "ed25519"])
def test_the_token_does_not_choose_the_algorithm(algorithm: str) -> None:
    with MemoryKeyStore() as store:
        header = json.dumps({"alg": algorithm, "kid": store.signing_key, "typ": KIND.value})
        with pytest.raises(StatementRefused, match="header"):
            verify_statement(KIND, forge(store, header, "{}"), trusted(store))


@pytest.mark.parametrize(
    ("extra", "payload"),
    [
        (', "crit": ["x"]', "{}"),
        (', "jwk": {}', "{}"),
        (', "alg": "Ed25519"', "{}"),
        ("", '{"amt": 1, "amt": 2}'),
        ("", '{"amt": 1.5}'),
        ("", '{"amt": NaN}'),
        ("", "[]"),
        ("", "[" * 5000),
        ("", '{"a": "' + "x" * 5000 + '"}'),
        ("", '{"a":' * 20 + "1" + "}" * 20),
    ],
)
def test_forms_with_two_readings_are_refused(extra: str, payload: str) -> None:
    with MemoryKeyStore() as store:
        header = f'{{"alg": "Ed25519", "kid": "{store.signing_key}", "typ": "{KIND.value}"{extra}}}'
        with pytest.raises(StatementRefused):
            verify_statement(KIND, forge(store, header, payload), trusted(store))


def test_every_changed_character_is_refused() -> None:
    with MemoryKeyStore() as store:
        token, keys = sign_statement(KIND, {"a": 1}, store), trusted(store)
        for at, char in enumerate(token):
            changed = token[:at] + ("A" if char != "A" else "B") + token[at + 1 :]
            with pytest.raises(StatementRefused):
                verify_statement(KIND, changed, keys)
            with pytest.raises(StatementRefused):
                verify_statement(KIND, token[:at], keys)
        for junk in (token + "=", token + ".x", " " + token, token + "\n", token.replace("-", "+") + "+"):
            with pytest.raises(StatementRefused):
                verify_statement(KIND, junk, keys)


def test_a_key_that_is_not_trusted_is_refused_and_a_retired_one_still_verifies() -> None:
    with MemoryKeyStore() as store:
        token, keys = sign_statement(KIND, CLAIMS, store), trusted(store)
        store.advance(store.generate(KeyUse.SIGN), KeyState.ACTIVE)
        assert verify_statement(KIND, token, keys) == CLAIMS
        with pytest.raises(StatementRefused, match="not trusted"):
            verify_statement(KIND, token, trusted(store))


def test_claims_too_large_are_not_signed() -> None:
    with MemoryKeyStore() as store, pytest.raises(FormatError, match="4096"):
        sign_statement(KIND, {"a": "x" * 5000}, store)
