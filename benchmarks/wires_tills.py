"""One quick till a wire: `pay(number)` makes a payment and gives the milliseconds to its first answer.

Measured is the wire's own part, from the last byte of the till's request to the first byte of what the
terminal says to it. The host behind it takes no time. Every till acknowledges, so that money is captured.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from pos_adapter.desk import DeskOptions
from pos_adapter.http_link import HttpServer, app_of
from pos_adapter.protocols.caisse_ap.terminal import CaisseTerminal
from pos_adapter.protocols.concert.frames import ConcertCodec, Frame
from pos_adapter.protocols.concert.messages import Request, encode_request
from pos_adapter.protocols.concert.terminal import ConcertTerminal
from pos_adapter.protocols.hw_proxy.wire import HwProxyWire
from pos_adapter.protocols.nexo import envelope
from pos_adapter.protocols.nexo.envelope import Message
from pos_adapter.protocols.nexo.header import Header
from pos_adapter.protocols.nexo.local_encryption import KeyName, KeyRing
from pos_adapter.protocols.nexo.options import NexoOptions
from pos_adapter.protocols.nexo.wire import NexoWire
from pos_adapter.protocols.rest.options import ApiKey, RestOptions
from pos_adapter.protocols.rest.wire import RestWire
from pos_adapter.protocols.zvt.session import ZvtTerminal
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost
from pos_adapter.tcp_link import TcpOptions, TcpServer
from pos_adapter.types import Money

Pay = Callable[[int], float]
HOST = "127.0.0.1"
KEY = "till-one-secret-0123456789"
AMOUNT = Money(1240, "EUR")
CAISSE = b"CZ0040300CJ012012345678901CA00201CE003978CD0010CB0041240"
CONCERT = ConcertCodec().encode(Frame(encode_request(Request("01", AMOUNT))))
ZVT_REGISTRATION = bytes.fromhex("06 00 06 12 34 56 10 09 78")
ZVT_PAYMENT = bytes.fromhex("06 01 07 04 00 00 00 00 12 40")
ZVT_YES = bytes.fromhex("80 00 00")
NEXO_KEY, NEXO_PASSPHRASE = KeyName("till-key", 1), "a passphrase of the shop"


def _timed(send: Callable[[], object], read: Callable[[], bytes]) -> tuple[float, bytes]:
    send()
    started = time.perf_counter_ns()
    first = read()
    return (time.perf_counter_ns() - started) / 1e6, first


def _dial(port: int) -> socket.socket:
    till = socket.create_connection((HOST, port))
    till.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return till


def _ask(till: http.client.HTTPConnection, *request: object) -> tuple[float, bytes]:
    till.request(*request)  # type: ignore[arg-type]  # method, path, body, headers
    started = time.perf_counter_ns()
    answer = till.getresponse()
    spent = (time.perf_counter_ns() - started) / 1e6
    return spent, answer.read()


@contextmanager
def caisse_ap(host: SimulatedHost) -> Iterator[Pay]:
    """One connection a payment."""
    with TcpServer(CaisseTerminal(TransactionSession(host)).serve, TcpOptions()) as server:

        def pay(number: int) -> float:
            with _dial(server.port) as till:
                return _timed(lambda: till.sendall(CAISSE), lambda: till.recv(1024))[0]

        yield pay


@contextmanager
def concert(host: SimulatedHost) -> Iterator[Pay]:
    """One line for all payments, over TCP."""
    server = TcpServer(ConcertTerminal(TransactionSession(host)).serve, TcpOptions())
    with server, _dial(server.port) as till:

        def pay(number: int) -> float:
            for message in (b"\x05", CONCERT):
                till.sendall(message)
                till.recv(1)
            spent, _ = _timed(lambda: till.sendall(b"\x04"), lambda: till.recv(1))
            till.sendall(b"\x06")
            while till.recv(256)[-2:-1] != b"\x03":
                pass
            till.sendall(b"\x06")
            till.recv(1)
            return spent

        yield pay


@contextmanager
def zvt(host: SimulatedHost) -> Iterator[Pay]:
    """One connection, registered once; the till agrees to everything until 06 0F."""
    server = TcpServer(ZvtTerminal(TransactionSession(host)).serve, TcpOptions())
    with server, _dial(server.port) as till:

        def follow(answer: bytes) -> None:
            while True:
                if answer.startswith(ZVT_YES):
                    answer = answer.removeprefix(ZVT_YES) or till.recv(4096)
                    continue
                till.sendall(ZVT_YES)
                if answer.startswith(b"\x06\x0f") or not answer:
                    return
                answer = till.recv(4096)

        till.sendall(ZVT_REGISTRATION)
        follow(till.recv(4096))

        def pay(number: int) -> float:
            spent, first = _timed(lambda: till.sendall(ZVT_PAYMENT), lambda: till.recv(4096))
            follow(first)
            return spent

        yield pay


@contextmanager
def rest(host: SimulatedHost) -> Iterator[Pay]:
    """Create with a wait, then acknowledge."""
    options = RestOptions(keys=(ApiKey("1", KEY),), desk=DeskOptions(remembered=64))
    wire = RestWire(TransactionSession(host), options)
    body = json.dumps({"amount": {"minor": AMOUNT.minor, "currency": AMOUNT.currency}})
    with HttpServer(app_of([wire])) as server, wire:
        till = http.client.HTTPConnection(HOST, server.port)
        fixed = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", "Prefer": "wait=10"}

        def pay(number: int) -> float:
            headers = {**fixed, "Idempotency-Key": f"key-{number}"}
            spent, answer = _ask(till, "POST", "/v1/payments", body, headers)
            path = f"/v1/payments/{json.loads(answer)['id']}/acknowledgement"
            _ask(till, "POST", path, "", fixed)
            return spent

        yield pay
        till.close()


@contextmanager
def hw_proxy(host: SimulatedHost) -> Iterator[Pay]:
    """Start, then poll until nothing runs."""
    wire = HwProxyWire(TransactionSession(host))
    with HttpServer(app_of([wire])) as server, wire:
        till = http.client.HTTPConnection(HOST, server.port)

        def call(name: str, params: object) -> tuple[float, bytes]:
            body = json.dumps({"id": 1, "jsonrpc": "2.0", "method": "call", "params": params})
            return _ask(till, "POST", f"/hw_proxy/{name}", body)

        def pay(number: int) -> float:
            info = {"amount": 12.4, "currency_iso": "EUR", "payment_mode": "card", "payment_id": str(number)}
            spent, _ = call("payment_terminal_transaction_start", {"payment_info": json.dumps(info)})
            while b'"in_transaction": true' in call("status_json", {})[1]:
                pass
            return spent

        yield pay
        till.close()


def nexo(key: KeyName | None) -> Callable[[SimulatedHost], AbstractContextManager[Pay]]:
    """nexo in clear, or hidden under a key."""

    @contextmanager
    def opened(host: SimulatedHost) -> Iterator[Pay]:
        keys = {key: NEXO_PASSPHRASE} if key else {}
        wire = NexoWire(TransactionSession(host), NexoOptions(passphrases=keys, clear_allowed=True))
        with HttpServer(app_of([wire])) as server:
            till = http.client.HTTPConnection(HOST, server.port)

            def pay(number: int) -> float:
                return _ask(till, "POST", "/nexo", nexo_payment(f"S{number}", key, KeyRing(keys)))[0]

            yield pay
            till.close()

    return opened


def nexo_payment(service: str, key: KeyName | None, keys: KeyRing) -> bytes:
    """A PaymentRequest as a till sends it."""
    header = Header("Service", "Payment", "Request", "POS-01", "FACE01-1", service, protocol_version="3.0")
    sale = {"SaleTransactionID": {"TransactionID": service, "TimeStamp": "2026-11-22T00:00:00.000Z"}}
    amounts = {"AmountsReq": {"Currency": "EUR", "RequestedAmount": AMOUNT.major}}
    body = {"PaymentRequest": {"SaleData": sale, "PaymentTransaction": amounts}}
    return envelope.encode(Message(header, body, key), keys)


WIRES: dict[str, Callable[[SimulatedHost], AbstractContextManager[Pay]]] = {
    "rest": rest,
    "hw_proxy": hw_proxy,
    "nexo, clear": nexo(None),
    "nexo, hidden": nexo(NEXO_KEY),
    "zvt": zvt,
    "caisse_ap": caisse_ap,
    "concert over TCP": concert,
}
