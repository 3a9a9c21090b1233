"""Any chunking gives the same events, any bytes raise only PosError, what is written is read again."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos_adapter.errors import PosError
from pos_adapter.protocols.caisse_ap.frames import CaisseCodec, Tag
from pos_adapter.protocols.caisse_ap.messages import Action, request_of, request_tags
from pos_adapter.protocols.caisse_ap.messages import Request as CaisseRequest
from pos_adapter.protocols.concert.frames import ConcertCodec, Control, Frame
from pos_adapter.protocols.concert.messages import (
    Answer,
    Kind,
    Request,
    Result,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)
from pos_adapter.protocols.hw_proxy.messages import call_of, payment_info_of
from pos_adapter.protocols.rest.documents import load_object, payment_request_of
from pos_adapter.types import ExchangeKey, Money

few = settings(max_examples=60, deadline=None)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126))
AMOUNTS = st.builds(Money, st.integers(1, 99_999_999), st.sampled_from(["EUR", "JPY", "KWD"]))
CONCERT_NOISE = st.lists(
    st.one_of(
        st.binary(max_size=6),
        st.sampled_from([bytes([c]) for c in Control]),
        PRINTABLE.map(lambda t: ConcertCodec().encode(Frame(t[:200].encode()))),
    )
).map(b"".join)
TAG_NOISE = st.lists(
    st.one_of(
        st.binary(max_size=4),
        PRINTABLE.map(lambda t: CaisseCodec().encode([Tag("CB", t[:50])])),
    )
).map(b"".join)
CODECS: dict[str, tuple[Callable[[], Any], st.SearchStrategy[bytes]]] = {
    "concert": (ConcertCodec, CONCERT_NOISE),
    "caisse_ap": (CaisseCodec, TAG_NOISE),
}


def events_of(codec: Any, pieces: Sequence[bytes]) -> list[str]:
    events = [event for piece in pieces for event in codec.feed(piece)]
    return [repr(event) for event in (*events, *codec.finish())]


@pytest.mark.fault("everything glued", "concert", "caisse_ap")
@pytest.mark.fault("any chunking, the same events", "concert", "caisse_ap")
@pytest.mark.parametrize("wire", CODECS)
@few
@given(data=st.data())
def test_any_chunking_gives_the_same_events(wire: str, data: st.DataObject) -> None:
    codec, noise = CODECS[wire]
    stream = data.draw(noise)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = events_of(codec(), [stream])
    assert events_of(codec(), pieces) == whole
    assert events_of(codec(), [bytes([byte]) for byte in stream]) == whole


READERS: dict[str, Callable[[bytes], object]] = {
    "concert request": decode_request,
    "concert answer": decode_answer,
    "caisse_ap": lambda data: request_of(
        {e.name: e.value for e in CaisseCodec().feed(data) if isinstance(e, Tag)}
    ),
    "rest": lambda data: payment_request_of(
        load_object(data, {"amount", "reference"}), ExchangeKey("rest", "t", "t", "1")
    ),
    "hw_proxy": lambda data: payment_info_of(call_of(data).params),
}
JSON_ENDS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NAMES = st.sampled_from(["amount", "minor", "currency", "params", "payment_info", "reference", "id"])
JSON = st.recursive(JSON_ENDS, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=8)


@pytest.mark.fault("any bytes at all", "rest", "concert", "caisse_ap", "hw_proxy")
@pytest.mark.parametrize("reader", READERS)
@few
@given(
    data=st.one_of(
        st.binary(max_size=120),
        st.text(string.digits + "AB ", min_size=25, max_size=80).map(str.encode),
        JSON.map(lambda value: __import__("json").dumps(value).encode()),
    )
)
def test_any_bytes_raise_only_pos_errors(reader: str, data: bytes) -> None:
    with suppress(PosError):
        READERS[reader](data)


PRIVATE = st.text(string.ascii_letters + string.digits + " ", min_size=10, max_size=10)
TILLS = st.integers(1, 99).map(lambda n: f"{n:02d}")


@pytest.mark.fault("what is written is read again", "concert")
@few
@given(
    st.builds(
        Request,
        till=TILLS,
        amount=AMOUNTS,
        mode=st.sampled_from("1C0"),
        kind=st.sampled_from(Kind),
        private=PRIVATE,
        wants_report=st.booleans(),
        at_once=st.booleans(),
        force_authorisation=st.booleans(),
    )
)
def test_concert_requests_are_read_as_they_were_written(request: Request) -> None:
    codec = ConcertCodec()
    (frame,) = codec.feed(codec.encode(Frame(encode_request(request))))
    assert isinstance(frame, Frame)
    assert decode_request(frame.payload) == request


@few
@given(
    st.builds(
        Answer,
        till=TILLS,
        result=st.sampled_from(Result),
        amount=AMOUNTS,
        mode=st.sampled_from("01C"),
        private=PRIVATE,
        report=st.none() | st.text(string.ascii_uppercase, min_size=55, max_size=55),
    )
)
def test_concert_answers_are_read_as_they_were_written(answer: Answer) -> None:
    assert decode_answer(encode_answer(answer)) == answer


@pytest.mark.fault("what is written is read again", "caisse_ap")
@few
@given(TILLS, AMOUNTS, st.sampled_from(Action), st.booleans())
def test_caisse_requests_are_read_as_they_were_written(
    till: str, amount: Money, action: Action, at_once: bool
) -> None:
    codec = CaisseCodec()
    tags = request_tags(CaisseRequest(till, amount, action, at_once=at_once))
    read = {e.name: e.value for e in codec.feed(codec.encode(tags)) if isinstance(e, Tag)}
    request = request_of(read)
    assert (request.till, request.amount, request.action, request.at_once) == (till, amount, action, at_once)


@pytest.mark.fault("what is written is read again", "rest", "hw_proxy")
@pytest.mark.parametrize("wire", ["rest", "hw_proxy"])
@few
@given(minor=st.integers(1, 10**9))
def test_money_in_json_is_read_as_it_was_written(wire: str, minor: int) -> None:
    money = Money(minor, "EUR")
    if wire == "rest":
        body = {"amount": {"minor": minor, "currency": "EUR"}}
        document = load_object(json.dumps(body).encode(), {"amount", "reference"})
        assert payment_request_of(document, ExchangeKey("rest", "t", "t", "1")).amount == money
        return
    info = {"amount": float(money.major), "currency_iso": "EUR", "payment_id": "p", "payment_mode": "card"}
    call = {"id": 1, "jsonrpc": "2.0", "method": "call", "params": {"payment_info": json.dumps(info)}}
    assert payment_info_of(call_of(json.dumps(call).encode()).params).amount == money


@few
@given(st.integers(1, 10**12 - 1), st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
def test_money_in_major_units_comes_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.from_major(money.major, currency) == money
    assert Money.from_major(str(money.major), currency) == money
