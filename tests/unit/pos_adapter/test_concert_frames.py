from __future__ import annotations

import pytest

from pos_adapter.errors import ChecksumMismatch, FrameTooLarge, MalformedMessage, NotRepresentable
from pos_adapter.protocols.concert.frames import ConcertCodec, Control, Damage, Frame, lrc
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
from pos_adapter.types import Money

CAPTURED = bytes.fromhex(
    "02 30 31 30 30 30 30 31 32 35 30 31 31 30 39 37 38" + "20" * 10 + "41 30 31 30 42 30 31 30 03 01"
)


def test_captured_request_decodes() -> None:
    (frame,) = ConcertCodec().feed(CAPTURED)
    assert isinstance(frame, Frame)
    assert decode_request(frame.payload) == Request(
        "01",
        Money(1250, "EUR"),
        mode="1",
        kind=Kind.DEBIT,
        private=" " * 10,
        wants_report=True,
        at_once=False,
    )


def test_captured_answers_have_their_wire_sizes_and_lrc() -> None:
    answer = Answer("01", Result.OK, Money(1250, "EUR"), "1", "0000000042", "FACEPAY")
    long = ConcertCodec().encode(Frame(encode_answer(answer)))
    short = ConcertCodec().encode(
        Frame(encode_answer(Answer("01", Result.OK, Money(1250, "EUR"), "1", "0000000042")))
    )
    assert (len(long), long[-1]) == (83, 0x7C)
    assert (len(short), short[-1]) == (28, 0x35)


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_any_chunk_size_gives_the_same_events(size: int) -> None:
    stream = b"\x05" + CAPTURED + b"\x04\x15" + CAPTURED
    codec = ConcertCodec()
    events = [e for i in range(0, len(stream), size) for e in codec.feed(stream[i : i + size])]
    frame = Frame(CAPTURED[1:-2])
    assert events == [Control.ENQ, frame, Control.EOT, Control.NAK, frame]


def test_wrong_lrc_is_damage_and_the_next_frame_is_read() -> None:
    damage, frame = ConcertCodec().feed(CAPTURED[:-1] + b"\x7f" + CAPTURED)
    assert isinstance(damage, Damage)
    assert isinstance(damage.error, ChecksumMismatch)
    assert isinstance(frame, Frame)


def test_a_frame_that_never_ends_stays_bounded_and_is_damage() -> None:
    codec = ConcertCodec()
    assert codec.feed(b"\x02" + b"0" * 1_000_000) == []
    (damage,) = codec.feed(b"\x03\x00")
    assert isinstance(damage, Damage)
    assert isinstance(damage.error, FrameTooLarge)


def test_a_frame_cut_off_is_damage() -> None:
    codec = ConcertCodec()
    codec.feed(CAPTURED[:9])
    (damage,) = codec.finish()
    assert isinstance(damage, Damage)
    assert codec.finish() == []


@pytest.mark.fault("NaN, digits that are none", "concert")
@pytest.mark.parametrize(
    "payload",
    [b"", b"0" * 34, CAPTURED[1:-3], CAPTURED[1:-2].replace(b"00001250", b"0000-250"), b"\xff" * 34],
    ids=["empty", "zeros", "short", "negative", "not-ascii"],
)
def test_bad_requests_are_refused_by_name(payload: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_request(payload)


def test_messages_come_back_as_they_went() -> None:
    request = Request("07", Money(99_999_999, "EUR"), kind=Kind.CREDIT, private="ORDER 0001", at_once=True)
    assert decode_request(encode_request(request)) == request
    answer = Answer("07", Result.NOT_VERIFIED, Money(1, "EUR"), report="x" * 55)
    assert decode_answer(encode_answer(answer)) == answer


@pytest.mark.parametrize("amount", [Money(100_000_000, "EUR"), Money(-1, "EUR")])
def test_an_amount_that_does_not_fit_is_not_representable(amount: Money) -> None:
    with pytest.raises(NotRepresentable):
        encode_request(Request("01", amount))


def test_lrc_leaves_out_stx() -> None:
    assert lrc(CAPTURED[1:-2]) == CAPTURED[-1]
