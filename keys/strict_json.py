"""JSON with one reading: no duplicate keys, no floats, bounded size and depth, and one encoding out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from keys.errors import FormatError

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]
DEPTH = 8


def encode_json(value: Mapping[str, Json]) -> bytes:
    """Sorted keys, no spaces, UTF-8: equal values give equal bytes."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def decode_object(raw: bytes, limit: int) -> dict[str, Json]:
    """A JSON object of at most `limit` bytes; raises FormatError for anything else."""
    if len(raw) > limit:
        raise FormatError(f"{len(raw)} bytes of JSON, at most {limit} are allowed")
    try:
        value: Json = json.loads(
            raw.decode("utf-8", "strict"),
            object_pairs_hook=_unique,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise FormatError("these bytes are not strict JSON") from None
    if not isinstance(value, dict):
        raise FormatError("the JSON text is not an object")
    _require_depth(value, DEPTH)
    return value


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise FormatError("a JSON object has a key twice")
    return value


def _no_number(text: str) -> Json:
    raise FormatError("a JSON number is not an integer")


def _require_depth(value: Json, left: int) -> None:
    if not left:
        raise FormatError(f"JSON nested deeper than {DEPTH}")
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            _require_depth(item, left - 1)
