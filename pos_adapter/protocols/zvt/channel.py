"""APDUs over a link: bare on TCP, in acknowledged blocks on a serial line.

A channel is used by one thread. What is not for the channel (news of the payment) passes through it in
order. Times of the serial line are T1 (between bytes) and T2 (for an acknowledgement) of PA00P015 2.1.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pos_adapter.base import Link
from pos_adapter.errors import LinkTimeout, MalformedMessage
from pos_adapter.inbox import HungUp, Inbox, Received
from pos_adapter.protocols.zvt import apdu, serial_frame
from pos_adapter.protocols.zvt.apdu import Apdu, ApduCodec, Damage
from pos_adapter.protocols.zvt.serial_frame import Block, BlockReader, Signal
from pos_adapter.sale import Finished, Progressed

News = Apdu | Damage | HungUp | Progressed | Finished
WAKE = Received(b"")
"""Put into the inbox, it makes `receive` return None at once: something else is ready."""

Clock = Callable[[], float]


class Channel(Protocol):
    """Sends and receives whole APDUs."""

    def send(self, message: Apdu) -> None:
        """Send one APDU; raises LinkClosed, or LinkTimeout when a serial peer never acknowledges it."""

    def receive(self, timeout_s: float) -> News | None:
        """The next APDU or other news, or None when nothing came in time."""


class TcpChannel:
    """Bare APDUs; the inbox is filled by a `Pump` on the same link.

    An APDU that stops in the middle for `gap_s` is damage: TCP has no time between bytes of its own, and
    a till that never ends its message must not hold a connection for ever.
    """

    def __init__(
        self, link: Link, inbox: Inbox, *, gap_s: float = 5.0, clock: Clock = time.monotonic
    ) -> None:
        self._link = link
        self._inbox = inbox
        self._gap_s = gap_s
        self._clock = clock
        self._last_byte = clock()
        self._codec = ApduCodec()
        self._waiting: deque[News] = deque()

    def send(self, message: Apdu) -> None:
        """Send one APDU in one write."""
        self._link.write(apdu.encode(message))

    def receive(self, timeout_s: float) -> News | None:
        """The next news; bytes that complete nothing yet are kept."""
        if self._waiting:
            return self._waiting.popleft()
        item = self._inbox.get(timeout_s)
        if isinstance(item, HungUp):
            self._waiting.append(item)
            self._waiting.extendleft(self._codec.finish())
        elif isinstance(item, Received):
            self._last_byte = self._clock() if item.data else self._last_byte
            self._waiting.extend(self._codec.feed(item.data))
        elif item is None and self._codec.pending and self._clock() - self._last_byte >= self._gap_s:
            self._waiting.extend(self._codec.finish())
        else:
            return item
        return self._waiting.popleft() if self._waiting else None


@dataclass(frozen=True, slots=True)
class SerialTimes:
    """Seconds, and how often an unacknowledged block is repeated."""

    t1_s: float = 0.2
    t2_s: float = 5.0
    repeats: int = 2


class SerialChannel:
    """Blocks with CRC, each acknowledged; a repeated block is acknowledged again and dropped."""

    def __init__(
        self,
        link: Link,
        inbox: Inbox,
        *,
        times: SerialTimes | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._link = link
        self._inbox = inbox
        self._times = times or SerialTimes()
        self._clock = clock
        self._reader = BlockReader()
        self._waiting: deque[News | None] = deque()
        self._signals: deque[Signal] = deque()
        self._last_received: bytes | None = None

    def send(self, message: Apdu) -> None:
        """Send one APDU until the peer acknowledges it, at most `repeats` times more.

        Raises:
            LinkTimeout: no acknowledgement came; the line is dead or the peer is.
        """
        block = serial_frame.encode(apdu.encode(message))
        for _ in range(self._times.repeats + 1):
            self._signals.clear()
            self._link.write(block)
            if self._acknowledged():
                return
        raise LinkTimeout("the till does not acknowledge our block")

    def receive(self, timeout_s: float) -> News | None:
        """The next news; blocks are acknowledged as they come in."""
        deadline = self._clock() + timeout_s
        while not self._waiting:
            left = deadline - self._clock()
            if not self._take(max(left, 0.0)) and left <= 0:
                return None
        return self._waiting.popleft()

    def _acknowledged(self) -> bool:
        deadline = self._clock() + self._times.t2_s
        news = len(self._waiting)
        while (left := deadline - self._clock()) > 0:
            self._take(left)
            if self._signals:
                if self._signals.popleft() is Signal.NAK:
                    return False
                # From here on an equal block is a new message, not a repetition.
                self._last_received = None
                return True
            # The peer's next block says that it has ours, even if its ACK was lost on the line.
            if any(isinstance(item, Apdu) for item in list(self._waiting)[news:]):
                return True
        return False

    def _take(self, timeout_s: float) -> bool:
        """Move one inbox item on; False when nothing came within the time or T1."""
        pending = self._reader.pending
        item = self._inbox.get(min(timeout_s, self._times.t1_s) if pending else timeout_s)
        if item is None:
            if pending and timeout_s >= self._times.t1_s:
                self._reader.reset()
                self._link.write(serial_frame.NAK)
            return False
        if item == WAKE:
            self._waiting.append(None)
        elif isinstance(item, Received):
            for event in self._reader.feed(item.data):
                self._sort(event)
        else:
            self._waiting.append(item)
        return True

    def _sort(self, event: serial_frame.Event) -> None:
        if isinstance(event, Block):
            self._accept(event.apdu)
        elif event is Signal.SPOILED:
            self._link.write(serial_frame.NAK)
        else:
            self._signals.append(event)

    def _accept(self, data: bytes) -> None:
        self._link.write(serial_frame.ACK)
        if data == self._last_received:
            return
        self._last_received = data
        try:
            self._waiting.append(apdu.decode(data))
        except MalformedMessage as error:
            self._waiting.append(Damage(error))
