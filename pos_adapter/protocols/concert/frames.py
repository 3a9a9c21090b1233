"""Concert's bytes: control characters and `STX payload ETX LRC` frames; no I/O, no meaning.

The LRC is the exclusive or of payload and ETX, without STX. In 7E1 set-ups the eighth bit is the parity
bit and never reaches us.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import xor

from pos_adapter.errors import ChecksumMismatch, FrameTooLarge, MalformedMessage, NotRepresentable, PosError

STX, ETX = 0x02, 0x03
MAX_PAYLOAD = 256
"""No payload of Concert E or E+ is longer than 80; V3 TLV over the same frame stays under this."""


class Control(IntEnum):
    """One-byte signals outside a frame."""

    EOT = 0x04
    ENQ = 0x05
    ACK = 0x06
    NAK = 0x15


@dataclass(frozen=True, slots=True)
class Frame:
    """One checked frame's payload: printable ASCII."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that were no frame: answer NAK."""

    error: PosError


FrameEvent = Control | Frame | Damage


def lrc(payload: bytes) -> int:
    """Exclusive or of payload and ETX."""
    return reduce(xor, payload, ETX)


class ConcertCodec:
    """Feeds bytes, gives signals, frames and damage. Noise between frames is dropped."""

    def __init__(self) -> None:
        self._payload: bytearray | None = None
        self._awaits_lrc = False
        self._overflown = False

    @property
    def inside_frame(self) -> bool:
        """Whether a frame has begun and not ended: the next byte must come soon."""
        return self._payload is not None

    def feed(self, data: bytes) -> list[FrameEvent]:
        """Events these bytes complete; never raises."""
        events = (self._take(byte) for byte in data)
        return [event for event in events if event is not None]

    def _take(self, byte: int) -> FrameEvent | None:
        if self._payload is None:
            return self._between_frames(byte)
        if self._awaits_lrc:
            return self._end(byte)
        if byte == ETX:
            self._awaits_lrc = True
        elif byte == STX:
            self._payload, self._overflown = bytearray(), False
        elif len(self._payload) < MAX_PAYLOAD:
            self._payload.append(byte)
        else:
            self._overflown = True
        return None

    def _between_frames(self, byte: int) -> FrameEvent | None:
        if byte == STX:
            self._payload = bytearray()
            return None
        try:
            return Control(byte)
        except ValueError:
            return None

    def _end(self, byte: int) -> FrameEvent:
        payload, overflown = bytes(self._payload or b""), self._overflown
        self._reset()
        if overflown:
            return Damage(FrameTooLarge(f"frame longer than {MAX_PAYLOAD} bytes"))
        if byte != lrc(payload):
            return Damage(ChecksumMismatch("LRC of the frame is wrong"))
        if not payload.isascii():
            return Damage(MalformedMessage("frame holds bytes beyond ASCII"))
        return Frame(payload)

    def _reset(self) -> None:
        self._payload, self._awaits_lrc, self._overflown = None, False, False

    def finish(self) -> list[FrameEvent]:
        """The line fell silent: an open frame is damage."""
        if self._payload is None:
            return []
        self._reset()
        return [Damage(MalformedMessage("frame was cut off"))]

    def encode(self, message: Control | Frame) -> bytes:
        """Bytes of a signal or frame."""
        if isinstance(message, Control):
            return bytes([message])
        payload = message.payload
        if not payload.isascii() or min(payload, default=32) < 32 or len(payload) > MAX_PAYLOAD:
            raise NotRepresentable("a Concert frame holds up to 256 printable ASCII characters")
        return bytes([STX, *payload, ETX, lrc(payload)])
