"""Faults that are the same on every wire: a till that says its request and then nothing, on an open line."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from pos_adapter.desk import DeskOptions
from pos_adapter.http_link import HttpServer, app_of
from pos_adapter.http_messages import HttpWire
from pos_adapter.protocols.caisse_ap.terminal import CaisseOptions, CaisseTerminal
from pos_adapter.protocols.concert.frames import ConcertCodec, Frame
from pos_adapter.protocols.concert.line import Timing
from pos_adapter.protocols.concert.messages import Request, encode_request
from pos_adapter.protocols.concert.terminal import ConcertOptions, ConcertTerminal
from pos_adapter.protocols.hw_proxy.options import HwProxyOptions
from pos_adapter.protocols.hw_proxy.wire import HwProxyWire
from pos_adapter.protocols.nexo.options import NexoOptions
from pos_adapter.protocols.nexo.wire import NexoWire
from pos_adapter.protocols.rest.options import ApiKey, RestOptions
from pos_adapter.protocols.rest.wire import RestWire
from pos_adapter.protocols.zvt.options import ZvtOptions, ZvtTimes
from pos_adapter.protocols.zvt.session import ZvtTerminal
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost
from pos_adapter.tcp_link import TcpOptions, TcpServer
from pos_adapter.types import Money, Settlement
from tests.flow.pos.test_http_faults import KEY, bytes_of

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
CONCERT = Timing(acknowledge_s=0.2, message_s=0.4, between_bytes_s=0.1)
ZVT = ZvtTimes(t3_s=0.4, acknowledgement_s=0.4)
FRAME = ConcertCodec().encode(Frame(encode_request(Request("01", Money(1240, "EUR")))))
REQUESTS = {
    "rest": bytes_of("rest", 1),
    "nexo": bytes_of("nexo", 1),
    "hw_proxy": bytes_of("hw_proxy", 1),
    "zvt": bytes.fromhex("060107 04000000001240"),
    "concert": b"\x05" + FRAME + b"\x04",
    "caisse_ap": b"CZ0040300CJ012012345678901CA00201CE003978CD0010CB0041240",
}


def http_wire(wire: str, session: TransactionSession) -> HttpWire:
    if wire == "rest":
        return RestWire(session, RestOptions(keys=(ApiKey("1", KEY),), desk=DeskOptions(0.5)))
    if wire == "nexo":
        return NexoWire(session, NexoOptions(clear_allowed=True))
    return HwProxyWire(session, HwProxyOptions(unasked_s=0.5))


@contextmanager
def listening(wire: str, host: SimulatedHost) -> Iterator[int]:
    session = TransactionSession(host)
    stream = {
        "zvt": lambda: ZvtTerminal(session, ZvtOptions(times=ZVT)).serve,
        "concert": lambda: ConcertTerminal(session, ConcertOptions(timing=CONCERT)).serve,
        "caisse_ap": lambda: CaisseTerminal(session, CaisseOptions(farewell_s=0.4)).serve,
    }
    with ExitStack() as stack:
        if wire in stream:
            yield stack.enter_context(TcpServer(stream[wire](), TcpOptions())).port
            return
        spoken = http_wire(wire, session)
        server = stack.enter_context(HttpServer(app_of([spoken])))
        if isinstance(spoken, RestWire | HwProxyWire):
            stack.enter_context(spoken)
        yield server.port


@pytest.mark.fault("silent after the request", "rest", "nexo", "zvt", "concert", "caisse_ap", "hw_proxy")
@pytest.mark.parametrize("wire", sorted(REQUESTS))
def test_a_till_silent_after_its_request_settles_as_its_wire_says(wire: str) -> None:
    """On nexo to stay connected is all it has to do to have its answer; elsewhere the money goes back."""
    host = SimulatedHost()
    with listening(wire, host) as port, socket.create_connection(("127.0.0.1", port), 5) as till:
        till.sendall(REQUESTS[wire])
        deadline = time.monotonic() + 20
        settled = (Settlement.VOIDED, Settlement.CAPTURED)
        while not any(record.settlement in settled for record in list(host.payments.values())):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    (record,) = host.payments.values()
    assert record.settlement is (Settlement.CAPTURED if wire == "nexo" else Settlement.VOIDED)
