"""The ZVT APDU: CLASS INSTR LEN DATA, as it travels bare over TCP (PA00P015 section 2, PA00P016 section 1).

LEN is one byte, or FF and two bytes little-endian when the data is 255 bytes or longer.
"""

from __future__ import annotations

from dataclasses import dataclass

from pos_adapter.errors import FrameTooLarge, MalformedMessage, NotRepresentable, PosError

EXTENDED = 0xFF
# A till's command is below 1 KiB; file transfers to the terminal are not spoken here.
LONGEST_DATA = 16 * 1024


@dataclass(frozen=True, slots=True)
class Apdu:
    """One command or answer; `command` is CLASS and INSTR as a 16-bit number."""

    command: int
    data: bytes = b""

    def __repr__(self) -> str:
        # The data may hold card data, so it stays out of logs and tracebacks.
        return f"Apdu({self.command:04X}, {len(self.data)} bytes)"


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no APDU; on a bare stream nothing after them can be trusted."""

    error: PosError


Event = Apdu | Damage


def encode(apdu: Apdu) -> bytes:
    """The bytes of one APDU; raises NotRepresentable beyond `LONGEST_DATA`."""
    size = len(apdu.data)
    if size > LONGEST_DATA:
        raise NotRepresentable(f"an APDU holds at most {LONGEST_DATA} bytes, not {size}")
    length = bytes([size]) if size < EXTENDED else bytes([EXTENDED]) + size.to_bytes(2, "little")
    return apdu.command.to_bytes(2, "big") + length + apdu.data


class ApduCodec:
    """Cuts a byte stream into APDUs, whatever the segmentation; holds at most one unfinished APDU."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._lost = False

    @property
    def pending(self) -> bool:
        """Whether an APDU has begun and is not complete yet."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> tuple[Event, ...]:
        """The APDUs that these bytes complete; after damage, nothing more."""
        if self._lost:
            return ()
        self._buffer += data
        found: list[Event] = []
        at = 0
        try:
            while (cut := self._next(at)) is not None:
                apdu, at = cut
                found.append(apdu)
        except FrameTooLarge as error:
            self._lost, at = True, len(self._buffer)
            found.append(Damage(error))
        del self._buffer[:at]
        return tuple(found)

    def finish(self) -> tuple[Event, ...]:
        """No more bytes come; an unfinished APDU is damage."""
        if not self._buffer:
            return ()
        error = MalformedMessage(f"the stream ends {len(self._buffer)} bytes into an APDU")
        self._buffer.clear()
        return (Damage(error),)

    def encode(self, message: Apdu) -> bytes:
        """The bytes of one APDU; raises NotRepresentable."""
        return encode(message)

    def _next(self, at: int) -> tuple[Apdu, int] | None:
        left = len(self._buffer) - at
        if left < 3:
            return None
        start, size = at + 3, self._buffer[at + 2]
        if size == EXTENDED:
            if left < 5:
                return None
            start, size = at + 5, int.from_bytes(self._buffer[at + 3 : at + 5], "little")
        if size > LONGEST_DATA:
            raise FrameTooLarge(f"an APDU announces {size} bytes; at most {LONGEST_DATA} are accepted")
        if len(self._buffer) < start + size:
            return None
        command = int.from_bytes(self._buffer[at : at + 2], "big")
        return Apdu(command, bytes(self._buffer[start : start + size])), start + size


def decode(data: bytes) -> Apdu:
    """The one APDU that these bytes are; raises MalformedMessage when they are less or more."""
    codec = ApduCodec()
    found = (*codec.feed(data), *codec.finish())
    if len(found) != 1 or not isinstance(found[0], Apdu):
        raise MalformedMessage("expected exactly one APDU")
    return found[0]
