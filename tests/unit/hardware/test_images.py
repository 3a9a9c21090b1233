from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from hardware.errors import FrameRefused
from hardware.images import ImageLimits, decode_image, load_image

LIMITS = ImageLimits()


def picture(width: int = 64, height: int = 48) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)


def encoded(suffix: str, width: int = 64, height: int = 48) -> bytes:
    return cv2.imencode(suffix, picture(width, height))[1].tobytes()


def png_that_claims(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + header + b"\x00\x00\x00\x00IEND\xaeB`\x82"


def jpeg_that_claims(width: int, height: int) -> bytes:
    data = bytearray(encoded(".jpg"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_jpeg_and_png_are_decoded(suffix: str) -> None:
    assert decode_image(encoded(suffix), LIMITS).shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "0 bytes"),
        (b"GIF89a" + bytes(100), "neither JPEG nor PNG"),
        (encoded(".jpg")[:-200], "truncated"),
        (encoded(".png")[:40], "truncated"),
        (b"\xff\xd8\xff\xe0" + bytes(20), "truncated"),
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xd9", "damaged"),
        (jpeg_that_claims(65000, 65000), "claims 65000x65000"),
        (png_that_claims(60000, 60000), "claims 60000x60000"),
        (png_that_claims(100, 100), "cannot be decoded"),
        (encoded(".png", 8, 8), "smaller than"),
    ],
)
def test_what_is_no_acceptable_image_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(FrameRefused, match=why):
        decode_image(data, LIMITS)


def test_fifty_megabytes_are_refused_before_decoding() -> None:
    with pytest.raises(FrameRefused, match="more than the"):
        decode_image(encoded(".jpg") + bytes(50_000_000), LIMITS)


def test_a_refused_file_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "shopper.jpg"
    broken.write_bytes(encoded(".jpg")[:100])
    with pytest.raises(FrameRefused, match=r"shopper\.jpg: .*truncated"):
        load_image(broken, LIMITS)
    with pytest.raises(FrameRefused, match="cannot be read"):
        load_image(tmp_path / "absent.jpg", LIMITS)


def test_any_bytes_raise_only_the_refusal() -> None:
    random = np.random.default_rng(7)
    for prefix in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b""):
        for size in range(0, 200, 3):
            with pytest.raises(FrameRefused):
                decode_image(prefix + random.bytes(size) + b"\xff\xd9", LIMITS)
