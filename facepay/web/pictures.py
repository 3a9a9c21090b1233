"""One picture of a page's camera as it arrives: the JPEG in the body, its times in the headers.

`X-Captured-At` and `X-Sent-At` are readings of the page's own monotonic clock in milliseconds; their
difference is the picture's age when it left, which needs no common clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from flask import request

from facepay.web.problems import BAD_INPUT, OTHER_TYPE, PageError

LONGEST_CLOCK_MS = 1e13


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG (1 byte .. 1 MiB) with the page's clock readings and its number in the capture."""

    jpeg: bytes = field(repr=False)
    captured_ms: float
    sent_ms: float
    sequence: int


def read_picture() -> Picture:
    """Read the picture of this request.

    Raises:
        PageError: it is empty, no JPEG, or its headers are missing or impossible.
    """
    if request.mimetype != "image/jpeg":
        raise PageError(OTHER_TYPE, "Send pictures as image/jpeg.")
    captured, sent = _clock("X-Captured-At"), _clock("X-Sent-At")
    if sent < captured:
        raise PageError(BAD_INPUT, "X-Sent-At lies before X-Captured-At.")
    sequence = _sequence()
    jpeg = request.get_data(cache=False)
    if not jpeg.startswith(b"\xff\xd8"):
        raise PageError(BAD_INPUT, "The body is not a JPEG picture." if jpeg else "The picture is empty.")
    return Picture(jpeg, captured, sent, sequence)


def _clock(name: str) -> float:
    try:
        value = float(request.headers.get(name, ""))
    except ValueError as error:
        raise PageError(BAD_INPUT, f"{name} must be a time in milliseconds.") from error
    if not (math.isfinite(value) and 0 <= value <= LONGEST_CLOCK_MS):
        raise PageError(BAD_INPUT, f"{name} must be a time in milliseconds.")
    return value


def _sequence() -> int:
    text = request.headers.get("X-Sequence", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise PageError(BAD_INPUT, "X-Sequence must be a whole number.")
    return int(text)
