"""What a bad network does to the wires over HTTP: pieces, glue, cuts, floods and silence."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from facepay.testing.waiting import eventually
from pos_adapter.http_link import HttpServer, app_of
from pos_adapter.http_messages import HttpWire
from pos_adapter.protocols.hw_proxy.wire import HwProxyWire
from pos_adapter.protocols.nexo.options import NexoOptions
from pos_adapter.protocols.nexo.wire import NexoWire
from pos_adapter.protocols.rest.options import ApiKey, RestOptions
from pos_adapter.protocols.rest.wire import RestWire
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
KEY = "till-one-secret-0123456789"


def rest_request(number: int) -> tuple[str, bytes, str]:
    headers = f"Authorization: Bearer {KEY}\r\nIdempotency-Key: k{number}\r\nPrefer: wait=5\r\n"
    return "/v1/payments", b'{"amount": {"minor": 1240, "currency": "EUR"}}', headers


def hw_proxy_request(number: int) -> tuple[str, bytes, str]:
    info = {"amount": 12.4, "currency_iso": "EUR", "payment_mode": "card", "payment_id": f"p{number}"}
    call = {"id": 1, "jsonrpc": "2.0", "method": "call", "params": {"payment_info": json.dumps(info)}}
    return "/hw_proxy/payment_terminal_transaction_start", json.dumps(call).encode(), ""


def nexo_request(number: int) -> tuple[str, bytes, str]:
    header = {
        "MessageClass": "Service",
        "MessageCategory": "Payment",
        "MessageType": "Request",
        "SaleID": "POS-01",
        "ServiceID": f"S{number}",
        "POIID": "FACE01-1",
    }
    sale = {"SaleTransactionID": {"TransactionID": f"T{number}", "TimeStamp": "2026-11-22T00:00:00.000Z"}}
    amounts = {"AmountsReq": {"Currency": "EUR", "RequestedAmount": 12.4}}
    body = {"PaymentRequest": {"SaleData": sale, "PaymentTransaction": amounts}}
    return "/nexo", json.dumps({"SaleToPOIRequest": {"MessageHeader": header, **body}}).encode(), ""


REQUESTS: dict[str, Callable[[int], tuple[str, bytes, str]]] = {
    "rest": rest_request,
    "hw_proxy": hw_proxy_request,
    "nexo": nexo_request,
}
WIRES = pytest.mark.parametrize("wire", sorted(REQUESTS))


def bytes_of(wire: str, number: int, *, length: int | None = None) -> bytes:
    path, body, headers = REQUESTS[wire](number)
    size = len(body) if length is None else length
    head = f"POST {path} HTTP/1.1\r\nHost: terminal\r\nContent-Type: application/json\r\n{headers}"
    return f"{head}Content-Length: {size}\r\n\r\n".encode() + body


@contextmanager
def listening(wire: str) -> Iterator[tuple[SimulatedHost, int]]:
    host = SimulatedHost()
    session = TransactionSession(host)
    with ExitStack() as stack:
        spoken: HttpWire
        if wire == "rest":
            spoken = RestWire(session, RestOptions(keys=(ApiKey("1", KEY),)))
        elif wire == "hw_proxy":
            spoken = HwProxyWire(session)
        else:
            spoken = NexoWire(session, NexoOptions(clear_allowed=True))
        server = stack.enter_context(HttpServer(app_of([spoken])))
        if isinstance(spoken, RestWire | HwProxyWire):
            stack.enter_context(spoken)
        yield host, server.port


def answers(till: socket.socket, count: int) -> bytes:
    data = b""
    till.settimeout(10)
    while data.count(b"HTTP/1.1 ") < count or not data.rstrip().endswith(b"}"):
        piece = till.recv(65536)
        assert piece, data
        data += piece
    return data


def wait_for_payments(host: SimulatedHost, count: int) -> None:
    eventually(lambda: sum(record.response is not None for record in list(host.payments.values())) >= count)
    assert len(host.payments) == count


@pytest.mark.fault("one byte at a time", "rest", "hw_proxy")
@WIRES
def test_one_byte_at_a_time_is_one_payment(wire: str) -> None:
    with listening(wire) as (host, port), socket.create_connection(("127.0.0.1", port)) as till:
        till.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in bytes_of(wire, 1):
            till.sendall(bytes([byte]))
        assert b" 20" in answers(till, 1)
        wait_for_payments(host, 1)


@pytest.mark.fault("everything glued", "rest", "hw_proxy")
@WIRES
def test_two_requests_glued_together_are_two_payments(wire: str) -> None:
    with listening(wire) as (host, port), socket.create_connection(("127.0.0.1", port)) as till:
        till.sendall(bytes_of(wire, 1) + bytes_of(wire, 1))
        # The same key or line twice: one payment, told twice.
        answers(till, 2)
        wait_for_payments(host, 1)


@pytest.mark.fault("hangs up inside a message", "rest", "hw_proxy")
@WIRES
def test_a_till_that_hangs_up_inside_its_request_pays_nothing(wire: str) -> None:
    with listening(wire) as (host, port):
        whole = bytes_of(wire, 1)
        for cut in (1, len(whole) // 2, len(whole) - 1):
            with socket.create_connection(("127.0.0.1", port)) as till:
                till.sendall(whole[:cut])
        with socket.create_connection(("127.0.0.1", port)) as till:
            till.sendall(bytes_of(wire, 2))
            answers(till, 1)
        wait_for_payments(host, 1)


@pytest.mark.fault("1 MB, and what never ends", "rest", "hw_proxy")
@WIRES
@pytest.mark.parametrize("announced", [True, False], ids=["1 MB", "never ends"])
def test_a_flood_is_refused_and_the_next_till_is_served(wire: str, announced: bool) -> None:
    path, _, headers = REQUESTS[wire](1)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}"
    with listening(wire) as (host, port):
        with socket.create_connection(("127.0.0.1", port)) as till, suppress(OSError):
            till.settimeout(10)
            if announced:
                till.sendall(f"{head}Content-Length: 1000000\r\n\r\n".encode() + b"[" * 1_000_000)
            else:
                till.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
                for _ in range(400):
                    till.sendall(b"4000\r\n" + b"[" * 0x4000 + b"\r\n")
            answer = till.recv(65536)
            assert b" 413 " in answer.splitlines()[0]
        with socket.create_connection(("127.0.0.1", port)) as till:
            till.sendall(bytes_of(wire, 2))
            answers(till, 1)
        wait_for_payments(host, 1)


@pytest.mark.fault("silent inside the request", "rest", "nexo", "hw_proxy")
@WIRES
def test_a_till_that_falls_silent_inside_its_request_holds_nobody_up(wire: str) -> None:
    with listening(wire) as (host, port), socket.create_connection(("127.0.0.1", port)) as silent:
        silent.sendall(bytes_of(wire, 1)[:-5])
        with socket.create_connection(("127.0.0.1", port)) as till:
            till.sendall(bytes_of(wire, 2))
            answers(till, 1)
        wait_for_payments(host, 1)
