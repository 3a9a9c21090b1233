"""Caisse-AP's bytes: two capital letters, three digits of length, the value; no I/O, no meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pos_adapter.errors import FrameTooLarge, MalformedMessage, NotRepresentable, PosError

MAX_MESSAGE = 768
"""Bytes of one request; real ones have about a hundred. An answer echoes them and must stay under 1024."""
_HEAD = re.compile(rb"[A-Z]{2}[0-9]{3}")
_VALUE = re.compile(rb"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class Tag:
    """One element: two capital letters and printable ASCII."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Damage:
    """The stream is no Caisse-AP from here on; it cannot be found again on this connection."""

    error: PosError


class CaisseCodec:
    """Feeds bytes, gives tags; after damage it gives nothing more."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._taken = 0
        self._dead = False

    @property
    def inside_tag(self) -> bool:
        """Whether an element has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Tag | Damage]:
        """Tags these bytes complete; never raises."""
        events: list[Tag | Damage] = []
        # Byte by byte in effect: damage is found at the same byte however the stream is cut.
        for byte in data:
            if self._dead:
                break
            event = self._take(byte)
            if event is not None:
                events.append(event)
        return events

    def _take(self, byte: int) -> Tag | Damage | None:
        self._buffer.append(byte)
        self._taken += 1
        if self._taken > MAX_MESSAGE:
            return self._damage(FrameTooLarge(f"message longer than {MAX_MESSAGE} bytes"))
        if len(self._buffer) < 5:
            return None
        head = bytes(self._buffer[:5])
        if _HEAD.fullmatch(head) is None:
            return self._damage(MalformedMessage("a tag is two capital letters and three digits"))
        if len(self._buffer) < 5 + int(head[2:]):
            return None
        value = bytes(self._buffer[5:])
        self._buffer.clear()
        if _VALUE.fullmatch(value) is None:
            return self._damage(MalformedMessage("a value is printable ASCII"))
        return Tag(head[:2].decode("ascii"), value.decode("ascii"))

    def _damage(self, error: PosError) -> Damage:
        self._dead = True
        self._buffer.clear()
        return Damage(error)

    def finish(self) -> list[Tag | Damage]:
        """The peer ended: an open element is damage."""
        if not self._buffer or self._dead:
            return []
        return [self._damage(MalformedMessage("message was cut off inside a tag"))]

    def encode(self, message: Iterable[Tag]) -> bytes:
        """The bytes of a whole message; raises NotRepresentable."""
        text = "".join(f"{tag.name}{len(tag.value):03d}{tag.value}" for tag in _checked(message))
        return text.encode("ascii")


def _checked(tags: Iterable[Tag]) -> Iterable[Tag]:
    for tag in tags:
        letters = len(tag.name) == 2 and tag.name.isascii() and tag.name.isalpha() and tag.name.isupper()
        if not letters or len(tag.value) > 999 or not tag.value.isascii():
            raise NotRepresentable(f"tag {tag.name!r} does not fit two letters and 999 ASCII characters")
        if _VALUE.fullmatch(tag.value.encode("ascii")) is None:
            raise NotRepresentable(f"tag {tag.name!r} holds control characters")
        yield tag
