"""A ZVT till and a terminal, joined by a cable in memory, for the tests of this wire."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from pos_adapter.base import Link
from pos_adapter.protocols.zvt import answers
from pos_adapter.protocols.zvt.apdu import Apdu
from pos_adapter.protocols.zvt.channel import SerialTimes
from pos_adapter.protocols.zvt.commands import Command, Config
from pos_adapter.protocols.zvt.options import ZvtOptions, ZvtTimes
from pos_adapter.protocols.zvt.session import ZvtTerminal
from pos_adapter.sale import SessionOptions
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.simulator.lines import FaultyLink, LineFaults, MemoryLink, memory_cable
from pos_adapter.simulator.zvt_till import ZvtTill
from pos_adapter.types import (
    PaymentRecord,
    Settlement,
)
from pos_adapter.upstream import Upstream

SERIAL = SerialTimes(t1_s=0.1, t2_s=0.3, repeats=2)
FAST = ZvtTimes(
    t3_s=0.5,
    acknowledgement_s=0.5,
    keep_alive_s=0.05,
    repeat_status_s=0.02,
    repeat_status_at_most=3,
    serial=SERIAL,
)
OPTIONS = ZvtOptions(terminal_id=12345678, times=FAST, language="en")
SILENT = Config.TILL_CONTROLS_PAYMENT
Answer = Callable[[Apdu], Apdu | None]
Spoil = Callable[[Link], Link]


def host(**options: float) -> SimulatedHost:
    return SimulatedHost(SimulatorOptions(**options))


def settlements(of: SimulatedHost) -> list[Settlement]:
    return [record.settlement for record in of.payments.values()]


def wait_for(found: Callable[[], list[PaymentRecord]]) -> list[PaymentRecord]:
    deadline = time.monotonic() + 5
    while not (records := found()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return records


@contextmanager
def shop(
    of: SimulatedHost,
    *,
    serial: bool = False,
    spoil: Callable[[Link], Link] = lambda link: link,
    upstream: Upstream | None = None,
    options: ZvtOptions = OPTIONS,
    patience_s: float = 10,
) -> Iterator[tuple[ZvtTill, MemoryLink]]:
    till_end, terminal_end = memory_cable()
    session = TransactionSession(of, options=SessionOptions(hold_unknown_s=1, look_up_every_s=0.02))
    terminal = ZvtTerminal(session, options, upstream)
    serve = terminal.serve_serial if serial else terminal.serve
    thread = threading.Thread(target=serve, args=(spoil(terminal_end),), daemon=True)
    thread.start()
    with ZvtTill(spoil(till_end), serial=serial, times=SERIAL, patience_s=patience_s) as till:
        yield till, till_end
        till_end.close()
    thread.join(10)
    assert not thread.is_alive()


CABLES = pytest.mark.parametrize(
    ("serial", "spoil"),
    [
        (False, lambda link: link),
        (False, lambda link: FaultyLink(link, LineFaults(one_by_one=True))),
        (True, lambda link: link),
        (True, lambda link: FaultyLink(link, LineFaults(one_by_one=True))),
    ],
    ids=["tcp", "tcp, one byte at a time", "serial", "serial, one byte at a time"],
)


def refuse_status(code: int, data: bytes = b"") -> Callable[[Apdu], Apdu | None]:
    def answer(message: Apdu) -> Apdu | None:
        return (
            Apdu(0x8400 | code, data) if message.command == Command.STATUS_INFORMATION else answers.POSITIVE
        )

    return answer


def silent_on(command: Command) -> Callable[[Apdu], Apdu | None]:
    return lambda message: None if message.command == command else answers.POSITIVE
