"""The bitmap fields of ZVT messages (PA00P015 section 9): a tag byte, then a value of the table's size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType

from pos_adapter.errors import MalformedMessage, NotRepresentable
from pos_adapter.protocols.zvt import tlv
from pos_adapter.protocols.zvt.bcd import decode_prefix, encode_prefix

# Tags that this terminal reads or writes by name.
TIMEOUT, MAX_STATUS, SERVICE, AMOUNT, CONTAINER = 0x01, 0x02, 0x03, 0x04, 0x06
TRACE, TIME, DATE, SEQUENCE, PAYMENT_TYPE, PAN = 0x0B, 0x0C, 0x0D, 0x17, 0x19, 0x22
RESULT, TERMINAL_ID, MERCHANT_ID, ORIGINAL_TRACE, APPROVAL = 0x27, 0x29, 0x2A, 0x37, 0x3B
TEXT, CURRENCY, TOTALS, RECEIPT, CARD_TYPE, CARD_NAME = 0x3C, 0x49, 0x60, 0x87, 0x8A, 0x8B


class Shape(Enum):
    """How a value's size is written when it is not fixed."""

    LLVAR = 2
    LLLVAR = 3
    BER = 0


TABLE: Mapping[int, int | Shape] = MappingProxyType(
    {
        TIMEOUT: 1,
        MAX_STATUS: 1,
        SERVICE: 1,
        AMOUNT: 6,
        0x05: 1,
        CONTAINER: Shape.BER,
        TRACE: 3,
        TIME: 3,
        DATE: 2,
        0x0E: 2,
        SEQUENCE: 2,
        PAYMENT_TYPE: 1,
        PAN: Shape.LLVAR,
        0x23: Shape.LLVAR,
        0x24: Shape.LLLVAR,
        RESULT: 1,
        TERMINAL_ID: 4,
        MERCHANT_ID: 15,
        0x2D: Shape.LLVAR,
        0x2E: Shape.LLLVAR,
        ORIGINAL_TRACE: 3,
        0x3A: 2,
        APPROVAL: 8,
        TEXT: Shape.LLLVAR,
        0x3D: 3,
        CURRENCY: 2,
        TOTALS: Shape.LLLVAR,
        RECEIPT: 2,
        0x88: 3,
        CARD_TYPE: 1,
        CARD_NAME: Shape.LLVAR,
        0x8C: 1,
        0x92: Shape.LLLVAR,
        0x9A: Shape.LLLVAR,
        0xA0: 1,
        0xA7: Shape.LLVAR,
        0xAA: 3,
        0xAF: Shape.LLLVAR,
        0xBA: 5,
        0xD0: 1,
        0xD1: Shape.LLVAR,
        0xD2: 1,
        0xD3: 1,
        0xE0: 1,
        **dict.fromkeys(range(225, 233), Shape.LLVAR),
        0xE9: 1,
        0xEA: 1,
        0xEB: 8,
        0xF0: 1,
        **dict.fromkeys(range(241, 249), Shape.LLVAR),
        **dict.fromkeys(range(0xF9, 0xFE), 1),
    }
)


def encode(fields: Iterable[tuple[int, bytes]]) -> bytes:
    """The fields in the order given; some older tills rely on it.

    Raises:
        NotRepresentable: a tag is not in the table or a value has the wrong size.
    """
    return b"".join(_encode_one(tag, value) for tag, value in fields)


def decode(data: bytes) -> dict[int, bytes]:
    """The fields that fill `data`, in the order they came.

    Raises:
        MalformedMessage: a tag is unknown or comes twice, or a value is cut off.
    """
    fields: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        tag = data[at]
        start, size = _extent(tag, data, at + 1)
        if start + size > len(data):
            raise MalformedMessage(f"BMP {tag:02X} needs {size} bytes, {len(data) - start} are left")
        if tag in fields:
            raise MalformedMessage(f"BMP {tag:02X} comes twice")
        fields[tag] = data[start : start + size]
        at = start + size
    return fields


def _encode_one(tag: int, value: bytes) -> bytes:
    shape = _shape(tag)
    if shape is Shape.BER:
        return bytes([tag]) + tlv.encode_length(len(value)) + value
    if isinstance(shape, Shape):
        return bytes([tag]) + encode_prefix(len(value), shape.value) + value
    if len(value) != shape:
        raise NotRepresentable(f"BMP {tag:02X} is {shape} bytes, not {len(value)}")
    return bytes([tag]) + value


def _extent(tag: int, data: bytes, at: int) -> tuple[int, int]:
    shape = _shape(tag)
    if shape is Shape.BER:
        size, start = tlv.decode_length(data, at)
        return start, size
    if isinstance(shape, Shape):
        end = at + shape.value
        if end > len(data):
            raise MalformedMessage(f"the length of BMP {tag:02X} is cut off")
        return end, decode_prefix(data[at:end])
    return at, shape


def _shape(tag: int) -> int | Shape:
    try:
        return TABLE[tag]
    except KeyError:
        raise MalformedMessage(f"BMP {tag:02X} is unknown, so what follows cannot be read") from None
