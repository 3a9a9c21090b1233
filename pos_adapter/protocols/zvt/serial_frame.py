"""ZVT's serial framing (PA00P015 section 2.1): DLE STX, the APDU with each DLE doubled, DLE ETX, CRC.

The CRC, low byte first, is the reflected CCITT polynomial 8408 with start value 0 over the undoubled
APDU and ETX. A receiver answers each block with a bare ACK or NAK.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pos_adapter.errors import NotRepresentable
from pos_adapter.protocols.zvt.apdu import LONGEST_DATA

DLE, STX, ETX = 0x10, 0x02, 0x03
ACK, NAK = b"\x06", b"\x15"
LONGEST_BLOCK = LONGEST_DATA + 5


class Signal(Enum):
    """A control byte, or the news that a block was spoiled on the line."""

    ACK = "ack"
    NAK = "nak"
    SPOILED = "spoiled"


@dataclass(frozen=True, slots=True)
class Block:
    """One intact block: the bytes of an APDU."""

    apdu: bytes


Event = Block | Signal


# The CRC's remainders for the sixteen values of a nibble.
CRC_NIBBLES = (
    *(0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285, 0x6306, 0x7387),
    *(0x8408, 0x9489, 0xA50A, 0xB58B, 0xC60C, 0xD68D, 0xE70E, 0xF78F),
)


def crc(data: bytes) -> int:
    """CRC-16/KERMIT; of b"123456789" it is 0x2189."""
    value = 0
    for byte in data:
        value ^= byte
        value = value >> 4 ^ CRC_NIBBLES[value & 0xF]
        value = value >> 4 ^ CRC_NIBBLES[value & 0xF]
    return value


def encode(apdu: bytes) -> bytes:
    """One block around the bytes of an APDU.

    Raises:
        NotRepresentable: the APDU is longer than any APDU can be.
    """
    if len(apdu) > LONGEST_BLOCK:
        raise NotRepresentable(f"a serial block holds at most {LONGEST_BLOCK} bytes, not {len(apdu)}")
    doubled = apdu.replace(b"\x10", b"\x10\x10")
    return b"\x10\x02" + doubled + b"\x10\x03" + crc(apdu + b"\x03").to_bytes(2, "little")


class _Where(Enum):
    OUTSIDE = 0
    OPENING = 1
    INSIDE = 2
    ESCAPED = 3
    CRC_LOW = 4
    CRC_HIGH = 5


class BlockReader:
    """Cuts the byte stream of a serial line into blocks and signals; noise between blocks is dropped."""

    def __init__(self) -> None:
        self._where = _Where.OUTSIDE
        self._block = bytearray()
        self._low = 0

    @property
    def pending(self) -> bool:
        """Whether a block has begun and is not complete: a gap now longer than T1 spoils it."""
        return self._where is not _Where.OUTSIDE

    def feed(self, data: bytes) -> tuple[Event, ...]:
        """What these bytes complete, in order."""
        return tuple(event for byte in data if (event := self._take(byte)) is not None)

    def reset(self) -> None:
        """Forget the unfinished block, after a gap longer than T1."""
        self._where = _Where.OUTSIDE
        self._block.clear()

    def _take(self, byte: int) -> Event | None:
        match self._where:
            case _Where.OUTSIDE:
                return self._outside(byte)
            case _Where.OPENING:
                self._where = _Where.INSIDE if byte == STX else _Where.OUTSIDE
                return None if byte == STX else self._outside(byte)
            case _Where.INSIDE if byte != DLE:
                return self._keep(byte)
            case _Where.INSIDE:
                self._where = _Where.ESCAPED
                return None
            case _Where.ESCAPED:
                return self._escaped(byte)
            case _Where.CRC_LOW:
                self._low, self._where = byte, _Where.CRC_HIGH
                return None
            case _:
                return self._finish(self._low | byte << 8)

    def _outside(self, byte: int) -> Event | None:
        if byte == DLE:
            self._where = _Where.OPENING
            self._block.clear()
        return {ACK[0]: Signal.ACK, NAK[0]: Signal.NAK}.get(byte)

    def _escaped(self, byte: int) -> Event | None:
        if byte == DLE:
            self._where = _Where.INSIDE
            return self._keep(DLE)
        if byte == ETX:
            self._where = _Where.CRC_LOW
            return None
        # DLE STX inside a block is the sender starting over; its first attempt was cut off.
        self._block.clear()
        self._where = _Where.INSIDE if byte == STX else _Where.OUTSIDE
        return None if byte == STX else Signal.SPOILED

    def _keep(self, byte: int) -> Event | None:
        self._block.append(byte)
        if len(self._block) <= LONGEST_BLOCK:
            return None
        self.reset()
        return Signal.SPOILED

    def _finish(self, received: int) -> Event:
        apdu = bytes(self._block)
        self.reset()
        return Block(apdu) if crc(apdu + b"\x03") == received else Signal.SPOILED
