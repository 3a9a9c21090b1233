"""Base45 (RFC 9285): bytes in the alphabet of a QR code, which every reader gives back whole."""

from __future__ import annotations

from keys.errors import FormatError

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUE = {char: value for value, char in enumerate(ALPHABET)}


def encode_base45(raw: bytes) -> str:
    """Three characters for two bytes, two for a last single one (RFC 9285, 4)."""
    out = []
    for at in range(0, len(raw), 2):
        pair = raw[at : at + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(3 if len(pair) == 2 else 2):
            value, digit = divmod(value, 45)
            out.append(ALPHABET[digit])
    return "".join(out)


def decode_base45(text: str, limit: int) -> bytes:
    """The bytes of at most `limit` bytes' worth of text; raises FormatError for any other text."""
    if len(text) > limit * 3 // 2 + 2 or len(text) % 3 == 1:
        raise FormatError("the text is not base45 of the right length")
    out = bytearray()
    for at in range(0, len(text), 3):
        group = text[at : at + 3]
        try:
            value = sum(_VALUE[char] * 45**place for place, char in enumerate(group))
        except KeyError:
            raise FormatError("the text has a character that base45 has not") from None
        size = len(group) - 1
        if value >> 8 * size:
            raise FormatError("the text is not base45")
        out += value.to_bytes(size, "big")
    return bytes(out)
