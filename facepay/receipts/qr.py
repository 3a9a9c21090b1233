"""The statement as a QR code on the receipt, and back from a photograph of it."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import segno

from facepay.qr import read_qr_codes
from keys.errors import StatementRefused

PREFIX = "FACEPAY1:"
"""What the code's text begins with, so that a scanner knows what it holds."""


def qr_svg(token: str, *, scale: int = 3) -> str:
    """The code as an SVG document; `scale` is the width of a module in pixels."""
    out = io.BytesIO()
    _code(token).save(out, kind="svg", scale=scale, border=4, xmldecl=False)
    return out.getvalue().decode()


def qr_png(token: str, *, scale: int = 4) -> bytes:
    """The code as a PNG, for receipt printers."""
    out = io.BytesIO()
    _code(token).save(out, kind="png", scale=scale, border=4)
    return out.getvalue()


def qr_address(text: str, *, scale: int = 4) -> str:
    """Any text as a QR code in a `data:` address, for a page that shows it to a phone."""
    address: str = segno.make_qr(text, error="m").svg_data_uri(scale=scale, border=4)
    return address


def read_text(text: str) -> str:
    """The statement in what a scanner read; the prefix may be missing."""
    return text.strip().removeprefix(PREFIX)


def read_image(path: Path) -> str:
    """The statement in a picture of a receipt.

    Raises:
        StatementRefused: The picture cannot be read or shows no code of ours.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise StatementRefused(f"{path} is no picture that can be read")
    for text in read_qr_codes(np.asarray(picture, np.uint8)):
        if text.startswith(PREFIX):
            return read_text(text)
    raise StatementRefused(f"{path} shows no QR code of a facepay receipt that can be read: take it nearer")


def _code(token: str) -> segno.QRCode:
    # Level L: a statement of some 500 characters stays large enough to be read off thermal paper.
    return segno.make_qr(PREFIX + token, error="l", boost_error=False)
