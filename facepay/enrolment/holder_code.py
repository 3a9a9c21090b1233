"""The shopper's own code as a picture for a phone or for paper; made once, and kept nowhere here."""

from __future__ import annotations

import io

import segno


def code_svg(text: str, *, scale: int = 4) -> str:
    """The code as an SVG document; `scale` is the width of a module in pixels."""
    out = io.BytesIO()
    _code(text).save(out, kind="svg", scale=scale, border=4, xmldecl=False, light="#fff")
    return out.getvalue().decode()


def code_png(text: str, *, scale: int = 8) -> bytes:
    """The code as a PNG."""
    out = io.BytesIO()
    _code(text).save(out, kind="png", scale=scale, border=4)
    return out.getvalue()


def _code(text: str) -> segno.QRCode:
    # Level L: a screen is not torn or stained, and the fewest modules are the easiest for a camera.
    return segno.make_qr(text, error="l", boost_error=False)
