"""How much time do REST, Caisse-AP, hw_proxy and Concert add to a payment, and do they stay small?

`python -m benchmarks.wires [PAYMENTS]`; the simulated host takes no time, so what is measured is the
adapter: codec throughput, till request in to first byte out on loopback, memory before and after, and
how fast an abort is honoured. ZVT and nexo have `benchmarks.wires_zvt_nexo`.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.results import quantiles, resident_mb, tell
from pos_adapter.desk import DeskOptions
from pos_adapter.http_link import HttpServer, app_of
from pos_adapter.protocols.caisse_ap.frames import CaisseCodec
from pos_adapter.protocols.caisse_ap.terminal import CaisseTerminal
from pos_adapter.protocols.concert.frames import ConcertCodec, Frame
from pos_adapter.protocols.concert.messages import Request, encode_request
from pos_adapter.protocols.concert.terminal import ConcertTerminal
from pos_adapter.protocols.hw_proxy.wire import HwProxyWire
from pos_adapter.protocols.rest.options import ApiKey, RestOptions
from pos_adapter.protocols.rest.wire import RestWire
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.tcp_link import TcpOptions, TcpServer
from pos_adapter.types import Money, Settlement

KEY = "till-one-secret-0123456789"
AMOUNT = Money(1240, "EUR")
CAISSE = b"CZ0040300CJ012012345678901CA00201CE003978CD0010CB0041240"
CONCERT = ConcertCodec().encode(Frame(encode_request(Request("01", AMOUNT))))
Row = dict[str, object]
Pay = Callable[[int], float]
"""One payment; milliseconds from the request's last byte out to the answer's first byte in."""


def simulated(shopper_s: float = 0.0) -> SimulatedHost:
    """A host whose shopper takes this long."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return SimulatedHost(SimulatorOptions(shopper_s=shopper_s))


def codecs() -> list[Row]:
    """Frames read a second, whole messages at a time."""
    work: dict[str, Callable[[], object]] = {
        "concert": lambda: ConcertCodec().feed(CONCERT),
        "caisse_ap": lambda: CaisseCodec().feed(CAISSE),
    }
    rows: list[Row] = []
    for wire, read in work.items():
        done, started = 0, time.perf_counter()
        while (spent := time.perf_counter() - started) < 1.0:
            read()
            done += 1
        rows.append({"wire": wire, "messages read a second": round(done / spent)})
    return rows


def timed(send: Callable[[], object], read: Callable[[], object]) -> float:
    """Milliseconds that `read` waits after `send`."""
    send()
    started = time.perf_counter_ns()
    read()
    return (time.perf_counter_ns() - started) / 1e6


@contextmanager
def caisse(host: SimulatedHost) -> Iterator[Pay]:
    """One connection a payment."""
    with TcpServer(CaisseTerminal(TransactionSession(host)).serve, TcpOptions()) as server:

        def pay(number: int) -> float:
            with socket.create_connection(("127.0.0.1", server.port)) as till:
                return timed(lambda: till.sendall(CAISSE), lambda: till.recv(1024))

        yield pay


@contextmanager
def concert(host: SimulatedHost) -> Iterator[Pay]:
    """One line for all payments, over TCP."""
    with (
        TcpServer(ConcertTerminal(TransactionSession(host)).serve, TcpOptions()) as server,
        socket.create_connection(("127.0.0.1", server.port)) as till,
    ):
        till.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def pay(number: int) -> float:
            for message in (b"\x05", CONCERT):
                till.sendall(message)
                till.recv(1)
            spent = timed(lambda: till.sendall(b"\x04"), lambda: till.recv(1))
            till.sendall(b"\x06")
            while till.recv(256)[-2:-1] != b"\x03":
                pass
            till.sendall(b"\x06")
            till.recv(1)
            return spent

        yield pay


@contextmanager
def rest(host: SimulatedHost) -> Iterator[Pay]:
    """Create with a wait, then acknowledge."""
    options = RestOptions(keys=(ApiKey("1", KEY),), desk=DeskOptions(remembered=64))
    wire = RestWire(TransactionSession(host), options)
    body = json.dumps({"amount": {"minor": AMOUNT.minor, "currency": AMOUNT.currency}})
    with HttpServer(app_of([wire])) as server, wire:
        till = http.client.HTTPConnection("127.0.0.1", server.port)
        fixed = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", "Prefer": "wait=10"}

        def pay(number: int) -> float:
            headers = {**fixed, "Idempotency-Key": f"key-{number}"}
            started = time.perf_counter_ns()
            till.request("POST", "/v1/payments", body, headers)
            document = json.loads(till.getresponse().read())
            spent = (time.perf_counter_ns() - started) / 1e6
            till.request("POST", f"/v1/payments/{document['id']}/acknowledgement", "", fixed)
            till.getresponse().read()
            return spent

        yield pay
        till.close()


@contextmanager
def hw_proxy(host: SimulatedHost) -> Iterator[Pay]:
    """Start, then one poll."""
    wire = HwProxyWire(TransactionSession(host))
    with HttpServer(app_of([wire])) as server, wire:
        till = http.client.HTTPConnection("127.0.0.1", server.port)

        def call(name: str, params: object) -> float:
            body = json.dumps({"id": 1, "jsonrpc": "2.0", "method": "call", "params": params})
            started = time.perf_counter_ns()
            till.request("POST", f"/hw_proxy/{name}", body)
            till.getresponse().read()
            return (time.perf_counter_ns() - started) / 1e6

        def pay(number: int) -> float:
            info = {"amount": 12.4, "currency_iso": "EUR", "payment_mode": "card", "payment_id": str(number)}
            spent = call("payment_terminal_transaction_start", {"payment_info": json.dumps(info)})
            call("status_json", {})
            return spent

        yield pay
        till.close()


WIRES = {"rest": rest, "caisse_ap": caisse, "hw_proxy": hw_proxy, "concert over TCP": concert}


def payments(count: int) -> list[Row]:
    """Latency and memory over `count` payments, one after another, each acknowledged."""
    rows: list[Row] = []
    for name, wire in WIRES.items():
        host = simulated()
        with wire(host) as pay:
            warm = [pay(number) for number in range(50)]
            before = resident_mb()
            times = [pay(number) for number in range(50, 50 + count)]
            # The simulated host keeps every record; what the adapter itself keeps is the rest.
            host.payments = dict(list(host.payments.items())[-50:])
            rows.append(
                {
                    "wire": name,
                    "payments": count,
                    **{f"{k} ms": v for k, v in quantiles(times).items()},
                    "MB before": before,
                    "MB after": resident_mb(),
                    "warm-up ms": round(sum(warm) / len(warm), 2),
                }
            )
            time.sleep(0.3)
        kept = [record.settlement for record in host.payments.values()]
        rows[-1]["all captured"] = all(s is Settlement.CAPTURED for s in kept)
    return rows


def aborts() -> list[Row]:
    """Milliseconds from the till's hang-up or cancel to a terminal that is free again."""
    host = simulated(shopper_s=30.0)
    session = TransactionSession(host)
    times = []
    with TcpServer(CaisseTerminal(session).serve, TcpOptions()) as server:
        for _ in range(20):
            till = socket.create_connection(("127.0.0.1", server.port))
            till.sendall(CAISSE)
            while host.status().value != "busy":
                time.sleep(0.001)
            started = time.perf_counter_ns()
            till.close()
            while host.status().value != "ready":
                time.sleep(0.0005)
            times.append((time.perf_counter_ns() - started) / 1e6)
    return [{"wire": "caisse_ap hang-up", **{f"{k} ms": v for k, v in quantiles(times).items()}}]


def main() -> int:
    """Run all; the first argument is the number of payments a wire (300 unless given)."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    tell("wires_codecs", codecs())
    tell(
        "wires_payments", payments(count), ["first byte of the answer after the request; host takes no time"]
    )
    tell("wires_aborts", aborts())
    return 0


if __name__ == "__main__":
    sys.exit(main())
