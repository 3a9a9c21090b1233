"""Reads the shopper's own code off the pictures of the terminal's camera."""

from __future__ import annotations

from facepay.qr import read_qr_codes
from facepay.types import Pixels
from keys.errors import FormatError
from keys.holder_code import decode_code


def find_holder_code(pixels: Pixels) -> str | None:
    """The text of the facepay code in `uint8[H, W, 3]` BGR, or None; other QR codes are passed over."""
    for text in read_qr_codes(pixels):
        try:
            decode_code(text)
        except FormatError:
            continue
        return text
    return None
