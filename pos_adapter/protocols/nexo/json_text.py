"""JSON as nexo needs it: decimal amounts, one object a message, nothing outside RFC 8259.

Amounts are major units as JSON numbers, so they are read as `Decimal` and never as floats.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from pos_adapter.errors import FrameTooLarge, MalformedMessage, NotRepresentable, PosError

LONGEST_MESSAGE = 256 * 1024
DEEPEST = 32
# Longer numbers than any amount; they would only cost time.
_LONGEST_NUMBER = 40
_MARKS = re.compile(rb'["{}\[\]]')
_STRING_END = re.compile(rb'["\\]')
_SPACE = b" \t\r\n"

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | Decimal | bool | None"


@dataclass(frozen=True, slots=True)
class Text:
    """One whole top-level object, not parsed yet."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that cannot become a message; nothing after them is read."""

    error: PosError


Event = Text | Damage


class JsonReader:
    """Cuts a stream into top-level JSON objects by counting brackets; bounded, whatever the chunks."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0
        self._depth = 0
        self._in_string = False
        self._lost = False

    def feed(self, data: bytes) -> tuple[Event, ...]:
        """The objects these bytes complete; after damage, nothing more."""
        if self._lost:
            return ()
        self._buffer += data
        found: list[Event] = []
        while (event := self._next()) is not None:
            found.append(event)
            if isinstance(event, Damage):
                self._lost = True
                self._buffer.clear()
                break
        return tuple(found)

    def finish(self) -> tuple[Event, ...]:
        """No more bytes come; an unfinished object is damage."""
        if self._lost or not self._buffer.strip(_SPACE):
            return ()
        self._buffer.clear()
        self._lost = True
        return (Damage(MalformedMessage("the message ends inside its JSON text")),)

    def encode(self, message: Mapping[str, Json]) -> bytes:
        """The bytes of one message."""
        return encode(message)

    def _next(self) -> Event | None:
        if self._depth == 0 and not self._in_string:
            self._at = 0
            start = len(self._buffer) - len(self._buffer.lstrip(_SPACE))
            del self._buffer[:start]
            if not self._buffer:
                return None
            if self._buffer[:1] != b"{":
                return Damage(MalformedMessage("a message is one JSON object"))
        event = self._scan()
        if event is None and len(self._buffer) > LONGEST_MESSAGE:
            return Damage(FrameTooLarge(f"a message has at most {LONGEST_MESSAGE} bytes"))
        return event

    def _scan(self) -> Event | None:
        while True:
            if self._in_string:
                end = _STRING_END.search(self._buffer, self._at)
                if end is None:
                    self._at = len(self._buffer)
                    return None
                if end.group() == b"\\":
                    if end.end() >= len(self._buffer):
                        self._at = end.start()
                        return None
                    self._at = end.end() + 1
                    continue
                self._in_string, self._at = False, end.end()
                continue
            mark = _MARKS.search(self._buffer, self._at)
            if mark is None:
                self._at = len(self._buffer)
                return None
            self._at = mark.end()
            if mark.group() == b'"':
                self._in_string = True
            elif (event := self._bracket(opens=mark.group() in b"{[")) is not None:
                return event

    def _bracket(self, *, opens: bool) -> Event | None:
        self._depth += 1 if opens else -1
        if self._depth > DEEPEST:
            return Damage(MalformedMessage(f"JSON nests deeper than {DEEPEST}"))
        if self._depth > 0:
            return None
        if self._at > LONGEST_MESSAGE:
            return Damage(FrameTooLarge(f"a message has at most {LONGEST_MESSAGE} bytes"))
        text = bytes(self._buffer[: self._at])
        del self._buffer[: self._at]
        self._depth = 0
        return Text(text)


def decode(data: bytes) -> dict[str, Json]:
    """The one object that these bytes are.

    Raises:
        FrameTooLarge: more than `LONGEST_MESSAGE` bytes.
        MalformedMessage: not UTF-8, not one JSON object, a member twice, NaN, or a number beyond reason.
    """
    reader = JsonReader()
    events = (*reader.feed(data), *reader.finish())
    if events and isinstance(events[0], Damage):
        raise events[0].error
    if len(events) != 1 or not isinstance(events[0], Text):
        raise MalformedMessage("expected exactly one JSON object")
    return _parse(events[0].data)


def _parse(data: bytes) -> dict[str, Json]:
    try:
        value = json.loads(
            data.decode("utf-8"),
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_members,
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise MalformedMessage("the message is not JSON") from error
    if not isinstance(value, dict):
        raise MalformedMessage("a message is one JSON object")
    return value


def encode(message: Mapping[str, Json]) -> bytes:
    """UTF-8 JSON text; decimals become JSON numbers with all their digits.

    Raises:
        NotRepresentable: a number is not finite.
    """
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), default=_number).encode(
        "utf-8", "backslashreplace"
    )


def _number(value: object) -> float | int:
    # Twelve digits of minor units are the most a wire carries, and a double's shortest text keeps fifteen.
    if not isinstance(value, Decimal) or not value.is_finite() or len(value.as_tuple().digits) > 15:
        raise NotRepresentable("a value has no JSON form")
    return int(value) if value == value.to_integral_value() else float(value)


def _decimal(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER:
        raise MalformedMessage("a number has too many digits")
    number = Decimal(text)
    if abs(number.adjusted()) > _LONGEST_NUMBER:
        raise MalformedMessage("a number is beyond reason")
    return number


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise MalformedMessage("a number has too many digits")
    return int(text)


def _refuse_constant(name: str) -> Json:
    raise MalformedMessage(f"{name} is no JSON number")


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedMessage("a JSON object names a member twice")
    return members
