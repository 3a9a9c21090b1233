"""The till's side of Concert, for people who integrate a terminal and for our own tests."""

from __future__ import annotations

import time
from types import TracebackType

from pos_adapter.base import Link
from pos_adapter.inbox import Inbox, Pump
from pos_adapter.protocols.concert.frames import Control
from pos_adapter.protocols.concert.line import Delivery, Line, Timing
from pos_adapter.protocols.concert.messages import Answer, Request, decode_answer, encode_request


class ConcertTill:
    """One till on one line; a context manager. Keeping money safe is the terminal's job, not its."""

    def __init__(self, link: Link, *, timing: Timing | None = None) -> None:
        self._link = link
        inbox = Inbox()
        self._pump = Pump(link, inbox)
        self._line = Line(link, inbox, timing)

    def __enter__(self) -> ConcertTill:
        self._pump.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pump.__exit__(kind, error, trace)

    def is_there(self) -> bool:
        """The probe: ENQ, ACK, EOT."""
        self._line.send(Control.ENQ)
        heard = self._line.next(self._line.timing.acknowledge_s) is Control.ACK
        self._line.send(Control.EOT)
        return heard

    def ask(self, request: Request, *, patience_s: float = 120.0) -> Answer | None:
        """Send a request and wait for the answer; None when the terminal does not take it or falls silent."""
        if self._line.call(encode_request(request)) is not Delivery.ACKNOWLEDGED:
            return None
        return self.listen(patience_s)

    def listen(self, patience_s: float) -> Answer | None:
        """Wait for an answer and acknowledge it."""
        deadline = time.monotonic() + patience_s
        while (left := deadline - time.monotonic()) > 0:
            if self._line.next(left) is Control.ENQ:
                payload = self._line.accept(decode_answer)
                if payload is not None:
                    return decode_answer(payload)
        return None
