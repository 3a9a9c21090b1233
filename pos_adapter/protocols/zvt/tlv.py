"""The TLV container that BMP 06 carries (PA00P015 section 9.4): BER tags and lengths, nested by bit 6.

A terminal may send a container only to a till that sent one itself; `session` keeps that rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pos_adapter.errors import MalformedMessage, NotRepresentable

CONSTRUCTED = 0x20
DEEPEST = 8
LONGEST_TAG = 4


@dataclass(frozen=True, slots=True)
class Tlv:
    """One data object; `tag` is its tag bytes as a number, `value` its content as it travels."""

    tag: int
    value: bytes = b""


def encode(items: Iterable[Tlv]) -> bytes:
    """The data objects one after another, without the container's own length."""
    return b"".join(_tag_bytes(item.tag) + encode_length(len(item.value)) + item.value for item in items)


def nest(tag: int, items: Iterable[Tlv]) -> Tlv:
    """A constructed data object holding `items`."""
    return Tlv(tag, encode(items))


def decode(data: bytes) -> tuple[Tlv, ...]:
    """The data objects that fill `data`, outermost only.

    Raises:
        MalformedMessage: a tag or a length is malformed, or the last object is cut off.
    """
    items = []
    at = 0
    while at < len(data):
        tag, at = _read_tag(data, at)
        size, at = decode_length(data, at)
        if at + size > len(data):
            raise MalformedMessage(f"TLV {tag:X} announces {size} bytes, {len(data) - at} are left")
        items.append(Tlv(tag, data[at : at + size]))
        at += size
    return tuple(items)


def walk(items: Iterable[Tlv], depth: int = 0) -> Iterator[Tlv]:
    """Every data object at any depth, parents first.

    Raises:
        MalformedMessage: a constructed object is malformed or nests deeper than `DEEPEST`.
    """
    if depth > DEEPEST:
        raise MalformedMessage(f"TLV nests deeper than {DEEPEST}")
    for item in items:
        yield item
        if _tag_bytes(item.tag)[0] & CONSTRUCTED:
            yield from walk(decode(item.value), depth + 1)


def find(items: Iterable[Tlv], tag: int) -> bytes | None:
    """The value of the first object with this tag, at any depth, or None."""
    return next((item.value for item in walk(items) if item.tag == tag), None)


def encode_length(size: int) -> bytes:
    """A BER length: one byte below 128, else 81 and one byte, else 82 and two.

    Raises:
        NotRepresentable: the size is beyond two bytes.
    """
    if size < 0x80:
        return bytes([size])
    if size <= 0xFF:
        return bytes([0x81, size])
    if size <= 0xFFFF:
        return b"\x82" + size.to_bytes(2, "big")
    raise NotRepresentable(f"a TLV object of {size} bytes is too long")


def decode_length(data: bytes, at: int) -> tuple[int, int]:
    """The length that starts at `at`, and where its content starts.

    Raises:
        MalformedMessage: the length is cut off or of another form.
    """
    first = data[at] if at < len(data) else None
    if first is None or first > 0x82 or first == 0x80:
        raise MalformedMessage("a TLV length is missing or malformed")
    if first < 0x80:
        return first, at + 1
    end = at + 1 + first - 0x80
    if end > len(data):
        raise MalformedMessage("a TLV length is cut off")
    return int.from_bytes(data[at + 1 : end], "big"), end


def _read_tag(data: bytes, at: int) -> tuple[int, int]:
    end = at + 1
    if data[at] & 0x1F == 0x1F:
        while end < len(data) and data[end] & 0x80 and end - at < LONGEST_TAG:
            end += 1
        end += 1
    if end > len(data) or end - at > LONGEST_TAG:
        raise MalformedMessage("a TLV tag is cut off or too long")
    if data[at] == 0:
        raise MalformedMessage("a TLV tag cannot be zero")
    return int.from_bytes(data[at:end], "big"), end


def _tag_bytes(tag: int) -> bytes:
    return tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big")
