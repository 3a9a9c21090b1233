"""Turns image bytes from outside into pixels, refusing what could hurt before decoding it.

JPEG and PNG only. The size announced in the header is checked first, so a small file that claims
a huge picture is never unpacked. A JPEG without its end marker is refused: decoders fill the
missing part with grey and call it a success.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from hardware.errors import FrameRefused
from hardware.types import Pixels

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
# ITU-T T.81 table B.1: start-of-frame markers are C0..CF without DHT (C4), JPG (C8) and DAC (CC).
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Largest file in bytes, largest picture in pixels, smallest and largest side in pixels."""

    max_bytes: int = 8_000_000
    max_pixels: int = 25_000_000
    min_side: int = 32
    max_side: int = 8192


def decode_image(data: bytes, limits: ImageLimits) -> Pixels:
    """Decode a JPEG or PNG file.

    Returns:
        `uint8[H, W, 3]` BGR, turned upright by its EXIF tag.

    Raises:
        FrameRefused: empty, too large, truncated, or neither JPEG nor PNG.
    """
    if not data:
        raise FrameRefused("the image is empty (0 bytes)")
    if len(data) > limits.max_bytes:
        raise FrameRefused(f"the image has {len(data)} bytes, more than the {limits.max_bytes} allowed")
    width, height = _announced_size(data)
    _require_size(width, height, limits)
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise FrameRefused("the image is damaged and cannot be decoded")
    return np.ascontiguousarray(pixels, dtype=np.uint8)


def load_image(path: Path, limits: ImageLimits) -> Pixels:
    """Read and decode one image file.

    Raises:
        FrameRefused: it cannot be read, or is no acceptable image; the text names the file.
    """
    try:
        if path.stat().st_size > limits.max_bytes:
            raise FrameRefused(f"the image has more than the {limits.max_bytes} bytes allowed")
        return decode_image(path.read_bytes(), limits)
    except OSError as error:
        raise FrameRefused(f"{path.name}: cannot be read: {error.strerror}") from error
    except FrameRefused as error:
        raise FrameRefused(f"{path.name}: {error}") from error


def _require_size(width: int, height: int, limits: ImageLimits) -> None:
    if min(width, height) < limits.min_side:
        raise FrameRefused(f"the image is {width}x{height}, smaller than {limits.min_side} pixels a side")
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        raise FrameRefused(f"the image claims {width}x{height} pixels, more than allowed")


def _announced_size(data: bytes) -> tuple[int, int]:
    if data.startswith(_PNG):
        return _png_size(data)
    if data.startswith(_JPEG):
        if b"\xff\xd9" not in data[-64:]:
            raise FrameRefused("the JPEG image is truncated: its end marker is missing")
        return _jpeg_size(data)
    raise FrameRefused("the image is neither JPEG nor PNG")


def _png_size(data: bytes) -> tuple[int, int]:
    if len(data) < 33 or data[12:16] != b"IHDR" or b"IEND" not in data[-16:]:
        raise FrameRefused("the PNG image is truncated or damaged")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        elif marker in _START_OF_FRAME and at + 9 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        else:
            at += 2 + max(2, struct.unpack_from(">H", data, at + 2)[0])
    raise FrameRefused("the JPEG image is damaged: no picture size in its header")
