"""Packed decimal digits and the two length prefixes made of them (PA00P015 section 9, data formats)."""

from __future__ import annotations

from pos_adapter.errors import MalformedMessage, NotRepresentable


def encode_bcd(value: int, size: int) -> bytes:
    """`value` as `size` bytes of packed digits, most significant first.

    Raises:
        NotRepresentable: the value is negative or has more digits than fit.
    """
    text = f"{value:0{2 * size}d}"
    if value < 0 or len(text) > 2 * size:
        raise NotRepresentable(f"a number of at most {2 * size} digits was expected")
    return bytes.fromhex(text)


def decode_bcd(data: bytes) -> int:
    """The number that packed digits spell.

    Raises:
        MalformedMessage: a nibble is A to F, or there is no digit.
    """
    text = data.hex()
    if not text.isdecimal():
        raise MalformedMessage("packed digits hold a nibble from A to F")
    return int(text)


def encode_prefix(size: int, digits: int) -> bytes:
    """A length as LLVAR (`digits` 2) or LLLVAR (3) writes it: one byte F0..F9 a digit.

    Raises:
        NotRepresentable: the length needs more digits.
    """
    text = f"{size:0{digits}d}"
    if len(text) > digits:
        raise NotRepresentable(f"a field of {size} bytes does not fit a length of {digits} digits")
    return bytes(0xF0 + int(digit) for digit in text)


def decode_prefix(data: bytes) -> int:
    """The length that a LLVAR or LLLVAR prefix spells.

    Raises:
        MalformedMessage: a byte is outside F0..F9.
    """
    if not data or any(not 0xF0 <= byte <= 0xF9 for byte in data):
        raise MalformedMessage("a length prefix holds a byte outside F0 to F9")
    return int("".join(str(byte - 0xF0) for byte in data))
