from __future__ import annotations

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
import segno
import zxingcpp

from keys import MemoryKeyStore
from keys.base45 import decode_base45, encode_base45
from keys.capsule import LIMIT, Capsule, issue_capsule, open_capsule
from keys.errors import FormatError, KeysError, SealBroken, StatementRefused
from keys.holder_code import HolderKey, decode_code, decode_holder_key, encode_code
from keys.keyed import Bearer, seal_keyed, unseal_keyed
from keys.passphrase import FLOOR
from keys.types import Context, KeyId, KeyState, KeyUse, Purpose

FEATURES = np.random.default_rng(5).integers(-127, 128, 512).astype(np.int8).tobytes()
CAPSULE = Capsule(b"s" * 16, "fp0123456789", 2_000, 0.125, FEATURES)
MODEL = "ab" * 32
SHARE = bytes(range(32))


def issuers(store: MemoryKeyStore) -> dict[KeyId, bytes]:
    return {store.signing_key: store.verifying_key(store.signing_key)}


def issue(store: MemoryKeyStore, capsule: Capsule = CAPSULE) -> bytes:
    return issue_capsule(capsule, tenant="shop", model=MODEL, store=store, share=SHARE)


def reopen(raw: bytes, store: MemoryKeyStore, **other: object) -> Capsule:
    given = {"tenant": "shop", "model": MODEL, "issuers": issuers(store), "now_s": 1_000, "share": SHARE}
    return open_capsule(raw, store=store, **(given | other))  # type: ignore[arg-type]


def test_a_capsule_opens_at_its_merchant_and_fits_the_screen() -> None:
    with MemoryKeyStore() as store:
        raw = issue(store)
        assert len(raw) <= LIMIT
        assert reopen(raw, store) == CAPSULE


def _read(code: segno.QRCode, scale: int) -> str:
    """What a reader that we did not write sees in a code drawn with so many pixels a module."""
    picture = io.BytesIO()
    code.save(picture, kind="png", scale=scale, border=8)
    pixels = cv2.imdecode(np.frombuffer(picture.getvalue(), np.uint8), cv2.IMREAD_GRAYSCALE)
    return zxingcpp.read_barcodes(pixels)[0].text


def test_a_camera_reads_the_capsule_from_a_qr_code() -> None:
    with MemoryKeyStore() as store:
        raw = issue(store)
        code = segno.make_qr(encode_code(raw), error="l", boost_error=False)
        assert code.mode == "alphanumeric"
        assert int(code.version) <= 22
        for scale in (3, 4, 6):
            assert reopen(decode_code(_read(code, scale)), store) == CAPSULE


def test_another_merchant_model_time_or_issuer_is_refused() -> None:
    with MemoryKeyStore() as store, MemoryKeyStore() as stranger:
        raw = issue(store)
        for other in ({"tenant": "other"}, {"model": "cd" * 32}, {"share": bytes(32)}, {"share": b""}):
            with pytest.raises(SealBroken):
                reopen(raw, store, **other)
        with pytest.raises(StatementRefused, match="past its time"):
            reopen(raw, store, now_s=2_000)
        with pytest.raises(StatementRefused, match="not trusted"):
            reopen(raw, store, issuers=issuers(stranger))
        with pytest.raises(SealBroken):
            reopen(raw, stranger, issuers=issuers(store))


def test_a_capsule_outlives_a_rotation_of_wrapping_and_signing_keys() -> None:
    with MemoryKeyStore() as store:
        raw, trusted = issue(store), issuers(store)
        for use in (KeyUse.WRAP, KeyUse.SIGN):
            store.advance(store.generate(use), KeyState.ACTIVE)
        assert reopen(raw, store, issuers=trusted) == CAPSULE


def test_every_flipped_bit_and_every_truncation_of_a_capsule_is_refused() -> None:
    with MemoryKeyStore() as store:
        small = replace(CAPSULE, features=FEATURES[:32])
        raw = issue(store, small)
        for bit in range(len(raw) * 8):
            bad = bytearray(raw)
            bad[bit // 8] ^= 1 << bit % 8
            with pytest.raises(KeysError):
                reopen(bytes(bad), store)
        for size in range(len(raw)):
            with pytest.raises(KeysError):
                reopen(raw[:size], store)


def test_a_capsule_too_large_or_malformed_is_not_issued() -> None:
    with MemoryKeyStore() as store:
        for bad in (
            replace(CAPSULE, features=bytes(1024)),
            replace(CAPSULE, account="x" * 41),
            replace(CAPSULE, subject=b"short"),
        ):
            with pytest.raises(FormatError):
                issue(store, bad)


@pytest.mark.parametrize(
    ("raw", "text"), [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581")]
)
def test_base45_agrees_with_the_examples_of_rfc_9285(raw: bytes, text: str) -> None:
    assert encode_base45(raw) == text
    assert decode_base45(text, 100) == raw


@pytest.mark.parametrize("text", ["A", "GGW", "ab8", "::", "BB8" * 100])
def test_what_is_not_base45_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        decode_base45(text, 100)


KEYED = Context(Purpose.KEYED, "shop", subject="ab" * 16, model=MODEL)
BEARER = Bearer("4938", b"p" * 16)


def test_a_keyed_reference_opens_with_pin_phone_and_pepper_only() -> None:
    with MemoryKeyStore() as store, MemoryKeyStore() as thief:
        sealed = seal_keyed(FEATURES, KEYED, BEARER, store, cost=FLOOR)
        assert unseal_keyed(sealed, KEYED, BEARER, store, cost=FLOOR) == FEATURES
        wrong = [
            (Bearer("4939", BEARER.secret), KEYED, store),
            (Bearer(BEARER.pin, b"q" * 16), KEYED, store),
            (Bearer("4938p", b"p" * 15), KEYED, store),
            (BEARER, replace(KEYED, subject="cd" * 16), store),
            (BEARER, KEYED, thief),
        ]
        for bearer, context, pepper in wrong:
            with pytest.raises(SealBroken):
                unseal_keyed(sealed, context, bearer, pepper, cost=FLOOR)
        for bad in (b"", b"FPY\x02" + sealed[4:], sealed[:-1]):
            with pytest.raises(SealBroken):
                unseal_keyed(bad, KEYED, BEARER, store, cost=FLOOR)


@pytest.mark.parametrize("bearer", [Bearer("123", b"p" * 16), Bearer("1234", b"p" * 15)])
def test_a_short_pin_or_secret_does_not_seal(bearer: Bearer) -> None:
    with MemoryKeyStore() as store, pytest.raises(KeysError, match=r"16 random bytes|at least 4"):
        seal_keyed(FEATURES, KEYED, bearer, store)


def test_pin_and_secret_are_in_no_repr() -> None:
    assert "4938" not in repr(BEARER)
    assert "ppp" not in repr(BEARER) + repr(HolderKey(b"r" * 16, b"p" * 16))


def test_a_code_comes_back_from_readers_that_trim_and_change_case() -> None:
    for raw in (HolderKey(b"r" * 16, b"p" * 16).encode(), bytes(719), b"\xff" * 40, b"  "):
        text = encode_code(raw)
        assert decode_code(f"  {text.lower()}\r\n") == raw


@pytest.mark.parametrize("text", ["", "FACEPAY:", "FACEPAY:BB8", "BB8:", "FACEPAY:" + "A" * 1500 + ":"])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        decode_code(text)


def test_a_holder_key_of_another_version_or_size_is_named() -> None:
    raw = HolderKey(b"r" * 16, b"p" * 16).encode()
    assert decode_holder_key(raw).secret == b"p" * 16
    with pytest.raises(FormatError, match="version 2"):
        decode_holder_key(raw[:3] + b"\x02" + raw[4:])
    for size in range(len(raw)):
        with pytest.raises(FormatError):
            decode_holder_key(raw[:size])
