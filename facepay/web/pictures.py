"""What a page's camera sends: one JPEG a request, and reports of when something was on the screen.

A picture carries no time of its own: the terminal stamps it when it arrives, because a page could claim any.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import request

from facepay.web.problems import BAD_INPUT, OTHER_TYPE, PageError

LONGEST_CLOCK_MS = 1e13
LONGEST_STEP_MS = 10_000.0


def read_picture() -> bytes:
    """The JPEG of this request.

    Raises:
        PageError: it is empty, or no JPEG.
    """
    if request.mimetype != "image/jpeg":
        raise PageError(OTHER_TYPE, "Send pictures as image/jpeg.")
    jpeg = request.get_data(cache=False)
    if not jpeg.startswith(b"\xff\xd8"):
        raise PageError(BAD_INPUT, "The body is not a JPEG picture." if jpeg else "The picture is empty.")
    return jpeg


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


def _time(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_CLOCK_MS:
        raise PageError(BAD_INPUT, f"{name} must be a time in milliseconds.")
    return float(value)
