"""ZVT over bad lines and real sockets: every byte counts once or not at all."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from facepay.testing.waiting import eventually
from pos_adapter.base import Link
from pos_adapter.errors import LinkClosed, LinkTimeout
from pos_adapter.protocols.zvt import serial_frame
from pos_adapter.protocols.zvt.apdu import Apdu
from pos_adapter.protocols.zvt.commands import Command
from pos_adapter.protocols.zvt.session import ZvtTerminal
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost
from pos_adapter.simulator.lines import MemoryLink, memory_cable
from pos_adapter.simulator.zvt_till import ZvtTill
from pos_adapter.tcp_link import TcpOptions, TcpServer, connect_tcp
from pos_adapter.types import (
    Settlement,
)
from tests.flow.pos.zvt_shop import (
    OPTIONS,
    SILENT,
    host,
    settlements,
    shop,
)

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")


class Lossy:
    """A line that loses or doubles whole writes, by chance and a seed."""

    def __init__(self, link: Link, seed: int) -> None:
        self._link = link
        self._random = random.Random(seed)
        self.peer = link.peer
        self.read = link.read
        self.close = link.close

    def write(self, data: bytes) -> None:
        if self._random.random() >= 0.2:
            self._link.write(data)
            if self._random.random() < 0.2:
                self._link.write(data)


@pytest.mark.fault("20 % loss and duplicates, fixed seed", "zvt")
@pytest.mark.parametrize("seed", range(3))
def test_on_a_bad_serial_line_captures_equal_what_the_till_believes(seed: int) -> None:
    ledger, believed = host(), []
    with shop(ledger, serial=True, spoil=lambda link: Lossy(link, seed), patience_s=2) as (till, _):
        for amount in range(50_000, 50_600, 100):
            with suppress(LinkTimeout):
                if till.pay(amount).success:
                    believed.append(amount)
    captured = [
        r.request.amount.minor for r in ledger.payments.values() if r.settlement is Settlement.CAPTURED
    ]
    assert set(believed) <= set(captured)
    assert Settlement.PENDING not in settlements(ledger)
    assert len(captured) >= 2


REGISTER = bytes.fromhex("06 00 06 00 00 00 10 09 78")


def heard(end: MemoryLink, within_s: float = 2.0) -> bytes:
    """Everything the terminal says until it pauses."""
    data, deadline = b"", time.monotonic() + within_s
    while time.monotonic() < deadline:
        piece = end.read(0.15)
        if data and not piece:
            break
        data += piece
    return data


@contextmanager
def raw_line(of: SimulatedHost, *, serial: bool) -> Iterator[MemoryLink]:
    till_end, terminal_end = memory_cable()
    terminal = ZvtTerminal(TransactionSession(of), OPTIONS)
    serve = terminal.serve_serial if serial else terminal.serve
    thread = threading.Thread(target=serve, args=(terminal_end,), daemon=True)
    thread.start()
    yield till_end
    with suppress(LinkClosed):
        till_end.close()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.fault("wrong check sum three times", "zvt")
def test_a_wrong_crc_three_times_is_refused_each_time_and_then_forgotten() -> None:
    good = serial_frame.encode(REGISTER)
    with raw_line(host(), serial=True) as line:
        for _ in range(3):
            line.write(good[:-1] + bytes([good[-1] ^ 1]))
            assert heard(line, 1) == b"\x15"
        line.write(good)
        assert heard(line, 1).startswith(b"\x06\x10\x02\x80\x00\x00\x10\x03")


@pytest.mark.fault("a gap longer than between bytes", "zvt")
def test_a_gap_longer_than_between_bytes_spoils_a_serial_block() -> None:
    good = serial_frame.encode(REGISTER)
    with raw_line(host(), serial=True) as line:
        line.write(good[:6])
        assert heard(line, 1) == b"\x15"
        line.write(good)
        assert heard(line, 1).startswith(b"\x06\x10\x02\x80\x00\x00\x10\x03")


@pytest.mark.fault("silent inside the request", "zvt")
@pytest.mark.fault("1 MB, and what never ends", "zvt")
@pytest.mark.parametrize(
    "data",
    [REGISTER[:5], b"\x06\xd3\xff\xff\xff" + b"x" * 1_000_000],
    ids=["half a message", "1 MB without an end"],
)
def test_what_never_ends_on_tcp_is_refused_and_the_connection_ends(data: bytes) -> None:
    ledger = host()
    with raw_line(ledger, serial=False) as line:
        line.write(data)
        assert heard(line, 3) == bytes.fromhex("84 9A 00")
    assert not ledger.payments


@pytest.mark.fault("hangs up inside a message", "zvt")
@pytest.mark.parametrize("sent", [1, 2, 5, len(REGISTER) - 1])
def test_a_till_that_hangs_up_inside_a_message_leaves_the_terminal_ready(sent: int) -> None:
    ledger = host()
    with TcpServer(ZvtTerminal(TransactionSession(ledger), OPTIONS).serve, TcpOptions()) as server:
        cut_off = connect_tcp("127.0.0.1", server.port)
        cut_off.write(REGISTER[:sent])
        cut_off.close()
        link = connect_tcp("127.0.0.1", server.port)
        with ZvtTill(link) as till:
            till.register(SILENT)
            assert till.pay(500).success
        link.close()
    assert settlements(ledger) == [Settlement.CAPTURED]


@pytest.mark.fault("everything glued", "zvt")
def test_orders_glued_together_are_taken_one_after_the_other() -> None:
    with raw_line(host(), serial=False) as line:
        line.write(bytes.fromhex("06 02 00") * 3 + bytes.fromhex("06 E0 00"))
        assert heard(line, 1) == bytes.fromhex("80 00 00") * 3 + bytes.fromhex("84 83 00")


def test_an_abort_from_a_second_connection_ends_the_running_sale() -> None:
    ledger = host(shopper_s=8)
    terminal = ZvtTerminal(TransactionSession(ledger), OPTIONS)
    with TcpServer(terminal.serve, TcpOptions()) as server:
        links = [connect_tcp("127.0.0.1", server.port) for _ in range(2)]
        with ZvtTill(links[0]) as first, ZvtTill(links[1]) as second:
            first.register(SILENT)
            told: list[int] = []
            worker = threading.Thread(target=lambda: told.append(first.pay(500).code))
            worker.start()
            eventually(lambda: ledger.payments)
            assert second.send(Apdu(Command.ABORT)).accepted
            worker.join(5)
        for link in links:
            link.close()
    assert told == [0x6C]
