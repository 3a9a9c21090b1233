"""ZVT's codec for any bytes: chunking changes nothing, only PosError is raised, decode undoes encode."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos_adapter.errors import PosError
from pos_adapter.protocols.zvt import answers, apdu, bcd, bmp, commands, serial_frame, tlv
from pos_adapter.protocols.zvt.answers import StatusInformation
from pos_adapter.protocols.zvt.apdu import Apdu, ApduCodec
from pos_adapter.protocols.zvt.serial_frame import Block, BlockReader

APDUS = st.builds(Apdu, st.integers(0, 0xFFFF), st.binary(max_size=600))
CUTS = st.lists(st.integers(0, 2000), max_size=8)
TAGS = st.one_of(
    st.integers(1, 0xFF).filter(lambda tag: tag & 0x1F != 0x1F and not tag & 0x20),
    st.integers(0x00, 0x7F).map(lambda low: 0x1F00 | low),
)
TLVS = st.lists(st.builds(tlv.Tlv, TAGS, st.binary(max_size=300)), max_size=5)
profile = settings(derandomize=True, deadline=None, max_examples=60)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@pytest.mark.fault("one byte at a time", "zvt")
@pytest.mark.fault("any chunking, the same events", "zvt")
@profile
@given(st.lists(APDUS, max_size=4), CUTS)
def test_any_chunking_gives_the_same_apdus(messages: list[Apdu], cuts: list[int]) -> None:
    data = b"".join(apdu.encode(message) for message in messages)
    codec = ApduCodec()
    events = [event for piece in pieces(data, cuts) for event in codec.feed(piece)]
    assert events == messages
    assert codec.finish() == ()


@pytest.mark.fault("any bytes at all", "zvt")
@profile
@given(st.binary(max_size=400), CUTS)
def test_any_bytes_and_chunking_give_the_same_events(data: bytes, cuts: list[int]) -> None:
    whole, cut = ApduCodec(), ApduCodec()
    expected = [repr(event) for event in (*whole.feed(data), *whole.finish())]
    got = [event for piece in pieces(data, cuts) for event in cut.feed(piece)]
    assert [repr(event) for event in (*got, *cut.finish())] == expected
    lines = BlockReader(), BlockReader()
    assert lines[0].feed(data) == tuple(e for piece in pieces(data, cuts) for e in lines[1].feed(piece))


@profile
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_noise_between_blocks_never_swallows_the_next_but_one(noise: bytes, inner: bytes) -> None:
    reader = BlockReader()
    reader.feed(noise)
    reader.reset()
    assert Block(inner) in reader.feed(serial_frame.encode(inner))


@profile
@given(APDUS)
def test_any_apdu_is_read_or_refused(message: Apdu) -> None:
    for reader in (commands.decode, answers.read_status_information):
        with suppress(PosError):
            reader(message)


@profile
@given(st.sampled_from(sorted(commands.LAYOUTS)), st.binary(max_size=80))
def test_any_data_of_a_known_command_is_read_or_refused(command: int, data: bytes) -> None:
    with suppress(PosError):
        order = commands.decode(Apdu(command, data))
        assert order is not None
        assert order.amount_minor is None or 0 <= order.amount_minor < 10**12


@profile
@given(TLVS)
def test_tlv_round_trip(items: list[tlv.Tlv]) -> None:
    assert list(tlv.decode(tlv.encode(items))) == items
    assert list(tlv.walk([tlv.nest(0x26, items)]))[1:] == items


@profile
@given(st.dictionaries(st.sampled_from(sorted(bmp.TABLE)), st.binary(max_size=90)))
def test_fields_round_trip(values: dict[int, bytes]) -> None:
    sized = {
        tag: value if isinstance(bmp.TABLE[tag], bmp.Shape) else value.ljust(shape, b"\1")[:shape]
        for tag, value in values.items()
        if isinstance(shape := bmp.TABLE[tag], int) or True
    }
    assert bmp.decode(bmp.encode(sized.items())) == sized


@profile
@given(st.integers(0, 10**12 - 1))
def test_packed_digits_round_trip(number: int) -> None:
    assert bcd.decode_bcd(bcd.encode_bcd(number, 6)) == number


@pytest.mark.fault("what is written is read again", "zvt")
@profile
@given(
    result=st.integers(0, 255),
    amount_minor=st.none() | st.integers(0, 10**12 - 1),
    receipt=st.none() | st.integers(0, 9999),
    trace=st.none() | st.integers(0, 999999),
    approval_code=st.text("ABC123", max_size=8),
    text=st.text("abcäöü ", max_size=40),
    container=TLVS.map(tuple),
)
def test_status_information_round_trip(**values: object) -> None:
    status = StatusInformation(**values)  # type: ignore[arg-type]
    assert answers.read_status_information(answers.status_information(status)) == status
