"""One picture of a page's camera as it arrives: the JPEG in the body, its times in the headers.

`X-Captured-At` and `X-Sent-At` are readings of the page's own monotonic clock in milliseconds; their
difference is the picture's age when it left, which needs no common clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import request

from facepay.web.problems import BAD_INPUT, OTHER_TYPE, PageError

LONGEST_CLOCK_MS = 1e13
LONGEST_STEP_MS = 10_000.0


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


def shown_ns(values: Mapping[str, object], now_ns: int) -> int:
    """When the page showed something, on this machine's monotonic clock.

    `shown_ms` and `sent_ms` are readings of the page's clock; what lies between them is how long ago it
    was when the message left. The way here is not known and counts as nothing.

    Raises:
        PageError: no times, or longer ago than a step may last.
    """
    age_ms = _time(values.get("sent_ms"), "sent_ms") - _time(values.get("shown_ms"), "shown_ms")
    if not 0 <= age_ms <= LONGEST_STEP_MS:
        raise PageError(BAD_INPUT, "shown_ms and sent_ms do not belong together.")
    return now_ns - round(age_ms * 1e6)


def _clock(name: str) -> float:
    try:
        return _time(float(request.headers.get(name, "")), name)
    except ValueError as error:
        raise PageError(BAD_INPUT, f"{name} must be a time in milliseconds.") from error


def _time(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_CLOCK_MS:
        raise PageError(BAD_INPUT, f"{name} must be a time in milliseconds.")
    return float(value)


def _sequence() -> int:
    text = request.headers.get("X-Sequence", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise PageError(BAD_INPUT, "X-Sequence must be a whole number.")
    return int(text)
