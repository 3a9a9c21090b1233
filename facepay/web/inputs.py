"""Reads what a request carries, within bounds, and names what is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from flask import request

from facepay.web.problems import BAD_INPUT, LENGTH, OTHER_TYPE, TOO_LARGE, PageError

FORM_LIMIT = 16 * 1024
FRAME_LIMIT = 1024 * 1024
TEXT_LIMIT = 200
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


def fields() -> Mapping[str, object]:
    """The named values of a small form or JSON object, whichever was sent.

    Raises:
        PageError: too large, another type, not an object, or not JSON.
    """
    require_length(FORM_LIMIT)
    if request.mimetype == "application/json":
        return _json_object(request.get_data(cache=False))
    if request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return dict(request.form.items())
    if not request.content_length:
        return {}
    raise PageError(OTHER_TYPE, "Send a form or application/json.")


def require_length(limit: int) -> None:
    """Refuse a body longer than `limit` bytes, or one of unknown length.

    Raises:
        PageError: it is too long, or its length is not told.
    """
    request.max_content_length = limit
    if request.content_length is None:
        if request.headers.get("Transfer-Encoding"):
            raise PageError(LENGTH, "Send the body with a Content-Length.")
    elif request.content_length > limit:
        raise PageError(TOO_LARGE, f"At most {limit} bytes are taken here.")


def _json_object(body: bytes) -> Mapping[str, object]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PageError(BAD_INPUT, "The body is not JSON.") from error
    if not isinstance(value, dict):
        raise PageError(BAD_INPUT, "The body is not a JSON object.")
    return value


def text(values: Mapping[str, object], name: str, limit: int = TEXT_LIMIT) -> str:
    """A text field, trimmed; empty when absent.

    Raises:
        PageError: it is not text, too long, or holds control characters.
    """
    value = values.get(name, "")
    if not isinstance(value, str):
        raise PageError(BAD_INPUT, f"{name} must be text.")
    value = value.strip()
    if len(value) > limit:
        raise PageError(BAD_INPUT, f"{name} has more than {limit} characters.")
    if not value.isprintable():
        raise PageError(BAD_INPUT, f"{name} holds characters that cannot be printed.")
    return value


def token(values: Mapping[str, object], name: str) -> str:
    """An id that this terminal gave out; empty when absent.

    Raises:
        PageError: it cannot be one of ours.
    """
    value = text(values, name, 64)
    if value and not TOKEN.fullmatch(value):
        raise PageError(BAD_INPUT, f"{name} is not an id of this terminal.")
    return value


def digits(values: Mapping[str, object], name: str, low: int, high: int) -> str:
    """A code of `low` to `high` decimal digits.

    Raises:
        PageError: it is anything else; the text never repeats what was typed.
    """
    value = text(values, name, 64)
    if not (low <= len(value) <= high and value.isascii() and value.isdigit()):
        length = f"{low}" if low == high else f"{low} to {high}"
        raise PageError(BAD_INPUT, f"{name} must be {length} digits.")
    return value


def whole(values: Mapping[str, object], name: str, low: int, high: int) -> int:
    """A whole number within `low`..`high`.

    Raises:
        PageError: it is no whole number, or outside.
    """
    value = values.get(name)
    if isinstance(value, str) and len(value) <= 20 and re.fullmatch(r"-?[0-9]+", value.strip(), re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise PageError(BAD_INPUT, f"{name} must be a whole number.")
    if not low <= value <= high:
        raise PageError(BAD_INPUT, f"{name} must be between {low} and {high}.")
    return value
