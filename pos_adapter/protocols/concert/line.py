"""Half duplex on one Concert line: `call` sends a frame, `accept` takes one; both sides work the same.

Sender: ENQ, wait ACK; frame, wait ACK (NAK or silence: again, three times); EOT.
Receiver: ACK the ENQ; ACK a good frame, NAK a bad one (three times, then EOT); wait for EOT.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from pos_adapter.base import Link
from pos_adapter.errors import LinkClosed, LinkError, LinkReset, PosError
from pos_adapter.inbox import HungUp, Inbox, Received
from pos_adapter.protocols.concert.frames import ConcertCodec, Control, Damage, Frame, FrameEvent
from pos_adapter.sale import Finished, Progressed

LineItem = FrameEvent | Progressed | Finished


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds to wait for an ACK, for the next message, between two bytes of a frame; and the tries."""

    acknowledge_s: float = 1.5
    message_s: float = 3.0
    between_bytes_s: float = 1.0
    tries: int = 3


class Delivery(Enum):
    """How far a frame came."""

    ACKNOWLEDGED = "acknowledged"
    UNREACHED = "unreached"
    """The peer never answered our ENQ; it has not seen the frame."""
    UNACKNOWLEDGED = "unacknowledged"
    """The frame was sent; nobody knows whether it arrived."""


class Line:
    """One Concert link with its codec, and the news of the payment that runs over it."""

    def __init__(self, link: Link, inbox: Inbox, timing: Timing | None = None) -> None:
        self.timing = timing or Timing()
        self._link = link
        self._inbox = inbox
        self._codec = ConcertCodec()
        self._pending: deque[LineItem] = deque()

    def next(self, timeout_s: float) -> LineItem | None:
        """The next signal, frame, damage or news; None after `timeout_s`; raises LinkClosed."""
        deadline = time.monotonic() + timeout_s
        while not self._pending:
            left = deadline - time.monotonic()
            if self._codec.inside_frame:
                left = min(left, self.timing.between_bytes_s)
            item = self._inbox.get(left)
            if item is None:
                self._pending.extend(self._codec.finish())
                if not self._pending:
                    return None
            elif isinstance(item, HungUp):
                raise (LinkClosed if item.clean else LinkReset)(item.reason)
            elif isinstance(item, Received):
                self._pending.extend(self._codec.feed(item.data))
            else:
                self._pending.append(item)
        return self._pending.popleft()

    def forget(self) -> None:
        """Drop what came late, before a new exchange begins."""
        self._pending.clear()

    def send(self, message: Control | Frame) -> None:
        """Write one signal or frame."""
        self._link.write(self._codec.encode(message))

    def call(self, payload: bytes, telling: Callable[[], object] = lambda: None) -> Delivery:
        """Send a frame with its whole ceremony; `telling` is called right before the frame."""
        if not self._insist(Control.ENQ):
            self.send(Control.EOT)
            return Delivery.UNREACHED
        telling()
        arrived = self._insist(Frame(payload))
        # Once acknowledged, a line that dies before the EOT changes nothing any more.
        with contextlib.suppress(LinkError):
            self.send(Control.EOT)
        return Delivery.ACKNOWLEDGED if arrived else Delivery.UNACKNOWLEDGED

    def _insist(self, message: Control | Frame) -> bool:
        for _ in range(self.timing.tries):
            self.send(message)
            if self._acknowledged():
                return True
        return False

    def _acknowledged(self) -> bool:
        deadline = time.monotonic() + self.timing.acknowledge_s
        while (left := deadline - time.monotonic()) > 0:
            item = self.next(left)
            if item is Control.ACK:
                return True
            if item is None or item is Control.NAK:
                return False
        return False

    def accept(self, check: Callable[[bytes], object]) -> bytes | None:
        """After an ENQ: acknowledge it and take one frame that `check` lets pass; None without one."""
        self.send(Control.ACK)
        payload = self._take_frame(check)
        if payload is None:
            return None
        while (item := self.next(self.timing.message_s)) is not Control.EOT:
            if item is None:
                return None
            if isinstance(item, Frame):
                # Our ACK was lost and the peer repeats itself.
                self.send(Control.ACK if item.payload == payload else Control.NAK)
        return payload

    def _take_frame(self, check: Callable[[bytes], object]) -> bytes | None:
        bad = 0
        while bad < self.timing.tries:
            item = self.next(self.timing.message_s)
            if item is None or item is Control.EOT:
                return None
            if item is Control.ENQ:
                self.send(Control.ACK)
            elif isinstance(item, Frame) and _passes(check, item.payload):
                self.send(Control.ACK)
                return item.payload
            elif isinstance(item, Frame | Damage):
                bad += 1
                self.send(Control.NAK)
        self.send(Control.EOT)
        return None


def _passes(check: Callable[[bytes], object], payload: bytes) -> bool:
    try:
        check(payload)
    except PosError:
        return False
    return True
