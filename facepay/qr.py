"""QR codes in a picture: a receipt that was photographed, a phone that is held up to the camera."""

from __future__ import annotations

import zxingcpp

from facepay.types import Pixels


def read_qr_codes(pixels: Pixels) -> list[str]:
    """The texts of all QR codes in `uint8[H, W]` grey or `uint8[H, W, 3]` BGR, which may be none.

    Codes that are torn or fail their own checksum are left out.
    """
    # Plain text: by default the reader rewrites what looks like a product code.
    found = zxingcpp.read_barcodes(
        pixels,
        formats=zxingcpp.barcode_formats_from_str("QRCode"),
        text_mode=zxingcpp.TextMode.Plain,
    )
    return [code.text for code in found]
