"""nexo's codec for any bytes: chunking changes nothing, only PosError is raised, decode undoes encode."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos_adapter.errors import PosError, Unauthenticated
from pos_adapter.protocols.nexo import envelope, json_text, local_encryption, requests
from pos_adapter.protocols.nexo.envelope import Message
from pos_adapter.protocols.nexo.header import Header
from pos_adapter.protocols.nexo.json_text import JsonReader
from pos_adapter.protocols.nexo.local_encryption import KeyName, KeyRing

KEYS = KeyRing({KeyName("k", 1): "one", KeyName("k", 2): "two"})
MATERIAL = local_encryption.derive("one")
WORDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=10)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.decimals(-(10**6), 10**6, places=2, allow_nan=False)
    | st.text(max_size=20)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
HEADERS = st.builds(Header, WORDS, WORDS, WORDS, WORDS, WORDS, WORDS, st.just(""), st.just("3.0"))
BODIES = st.dictionaries(
    WORDS.filter(lambda word: word not in ("MessageHeader", "NexoBlob")), VALUES, max_size=3
)
MESSAGES = st.builds(
    Message, HEADERS, BODIES, st.none() | st.sampled_from([KeyName("k", 1), KeyName("k", 2)])
)
CUTS = st.lists(st.integers(0, 2000), max_size=8)
profile = settings(derandomize=True, deadline=None, max_examples=60)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def events_of(chunks: list[bytes]) -> list[str]:
    reader = JsonReader()
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return [repr(event) for event in (*events, *reader.finish())]


@pytest.mark.fault("everything glued", "nexo")
@pytest.mark.fault("any chunking, the same events", "nexo")
@profile
@given(st.lists(MESSAGES, max_size=3), CUTS)
def test_any_chunking_gives_the_same_messages(messages: list[Message], cuts: list[int]) -> None:
    data = b" \n".join(envelope.encode(message, KEYS) for message in messages)
    assert events_of(pieces(data, cuts)) == events_of([data])
    assert len(events_of([data])) == len(messages)


@pytest.mark.fault("any bytes at all", "nexo")
@profile
@given(st.binary(max_size=300) | st.text('{}[]":\\a1, ', max_size=300).map(str.encode), CUTS)
def test_any_bytes_and_chunking_give_the_same_events(data: bytes, cuts: list[int]) -> None:
    assert events_of(pieces(data, cuts)) == events_of([data])


@pytest.mark.fault("what is written is read again", "nexo")
@profile
@given(MESSAGES)
def test_messages_round_trip(message: Message) -> None:
    again = envelope.decode(envelope.encode(message, KEYS), KEYS)
    assert (again.header, again.key, again.body) == (message.header, message.key, message.body)


@profile
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(PosError):
        envelope.decode(data, KEYS)


@profile
@given(VALUES, VALUES, VALUES)
def test_any_body_is_read_or_refused(sale: object, transaction: object, payment: object) -> None:
    body = {"PaymentRequest": {"SaleData": sale, "PaymentTransaction": transaction, "PaymentData": payment}}
    with suppress(PosError):
        requests.read_payment(body)
    with suppress(PosError):
        requests.read_reversal(
            {"ReversalRequest": {"OriginalPOITransaction": sale, "ReversedAmount": payment}}
        )


@profile
@given(st.decimals(allow_nan=True, allow_infinity=True) | st.integers(), st.text(max_size=4) | st.just("EUR"))
def test_any_amount_is_read_or_refused(number: Decimal | int, currency: str) -> None:
    body = {
        "PaymentRequest": {
            "SaleData": {"SaleTransactionID": {"TransactionID": "T"}},
            "PaymentTransaction": {"AmountsReq": {"Currency": currency, "RequestedAmount": number}},
        }
    }
    with suppress(PosError):
        assert requests.read_payment(body).amount.minor > 0


@profile
@given(st.binary(max_size=200), st.data())
def test_one_flipped_bit_anywhere_is_refused_with_one_text(text: bytes, data: st.DataObject) -> None:
    sealed = local_encryption.seal(text, KeyName("k", 1), MATERIAL)
    assert local_encryption.unseal(sealed, MATERIAL) == text
    part = data.draw(st.sampled_from(["blob", "nonce", "hmac"]))
    spoiled = bytearray(getattr(sealed, part))
    at = data.draw(st.integers(0, len(spoiled) * 8 - 1))
    spoiled[at // 8] ^= 1 << at % 8
    wrong = {"blob": sealed.blob, "nonce": sealed.nonce, "hmac": sealed.hmac, part: bytes(spoiled)}
    with pytest.raises(Unauthenticated, match="could not be opened"):
        local_encryption.unseal(local_encryption.Sealed(**wrong, key=sealed.key), MATERIAL)


@profile
@given(st.decimals(-(10**9), 10**9, places=2, allow_nan=False))
def test_amounts_keep_their_value_in_json(amount: Decimal) -> None:
    again = json_text.decode(json_text.encode({"a": amount}))["a"]
    assert again == amount
    assert json.loads(json_text.encode({"a": amount}), parse_float=Decimal)["a"] == amount
