"""How much time do the ZVT and nexo wires add to a payment, and do they stay small over many?

`python -m benchmarks.wires_zvt_nexo [PAYMENTS]`; the simulated host takes no time, so what is measured is
the adapter: codec throughput, till request in to answer out on loopback, memory, and the abort.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.results import quantiles, resident_mb, tell
from pos_adapter.http_link import HttpServer, app_of
from pos_adapter.protocols.nexo import envelope
from pos_adapter.protocols.nexo.envelope import Message
from pos_adapter.protocols.nexo.header import Header
from pos_adapter.protocols.nexo.json_text import JsonReader
from pos_adapter.protocols.nexo.local_encryption import KeyName, KeyRing
from pos_adapter.protocols.nexo.options import NexoOptions
from pos_adapter.protocols.nexo.wire import NexoWire
from pos_adapter.protocols.zvt import apdu, commands, serial_frame
from pos_adapter.protocols.zvt.apdu import ApduCodec
from pos_adapter.protocols.zvt.commands import Config
from pos_adapter.protocols.zvt.serial_frame import BlockReader
from pos_adapter.protocols.zvt.session import ZvtTerminal
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.simulator.nexo_till import NexoAddress, NexoTill
from pos_adapter.simulator.zvt_till import ZvtTill
from pos_adapter.tcp_link import TcpOptions, TcpServer, connect_tcp
from pos_adapter.types import Money

KEY = KeyName("till-key", 1)
PASSPHRASE = "a passphrase"
AMOUNT = Money(1240, "EUR")
PAYMENT = bytes.fromhex("06 01 07 04 00 00 00 00 12 40")
Row = dict[str, object]


def per_second(work: Callable[[], object], seconds: float = 1.0) -> float:
    """How often `work` runs in a second."""
    done, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds:
        work()
        done += 1
    return round(done / spent, 1)


def codecs() -> list[Row]:
    """Frames read and written a second."""
    keys = KeyRing({KEY: PASSPHRASE})
    header = Header("Service", "Payment", "Request", "POS-01", "FACE01-1", "S1", protocol_version="3.0")
    sale = {"SaleTransactionID": {"TransactionID": "T1", "TimeStamp": "2026-11-22T00:00:00.000Z"}}
    amounts = {"AmountsReq": {"Currency": "EUR", "RequestedAmount": AMOUNT.major}}
    clear = Message(header, {"PaymentRequest": {"SaleData": sale, "PaymentTransaction": amounts}})
    hidden = envelope.encode(Message(header, clear.body, KEY), keys)
    text = envelope.encode(clear, keys)
    block = serial_frame.encode(PAYMENT)
    message = apdu.decode(PAYMENT)
    work: dict[str, Callable[[], object]] = {
        "zvt, cut and read an order": lambda: commands.decode(ApduCodec().feed(PAYMENT)[0]),  # type: ignore[arg-type]
        "zvt, write a message": lambda: apdu.encode(message),
        "zvt, read a serial block": lambda: BlockReader().feed(block),
        "nexo, cut a message": lambda: JsonReader().feed(text),
        "nexo, read a message in clear": lambda: envelope.decode(text, keys),
        "nexo, open a hidden message": lambda: envelope.decode(hidden, keys),
        "nexo, hide a message": lambda: envelope.encode(Message(header, clear.body, KEY), keys),
    }
    return [{"what": name, "frames a second": per_second(doing)} for name, doing in work.items()]


@contextmanager
def zvt(host: SimulatedHost) -> Iterator[Callable[[], object]]:
    """One payment on ZVT over TCP, from the order to the completion."""
    terminal = ZvtTerminal(TransactionSession(host))
    with TcpServer(terminal.serve, TcpOptions()) as server:
        link = connect_tcp("127.0.0.1", server.port)
        with ZvtTill(link) as till:
            till.register(Config.TILL_CONTROLS_PAYMENT)
            yield lambda: till.pay(AMOUNT.minor)
            link.close()


@contextmanager
def zvt_first_answer(host: SimulatedHost) -> Iterator[Callable[[], object]]:
    """ZVT from the order to the first byte of the terminal's 80 00 00."""
    terminal = ZvtTerminal(TransactionSession(host))
    with (
        TcpServer(terminal.serve, TcpOptions()) as server,
        socket.create_connection(("127.0.0.1", server.port)) as till,
    ):
        till.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        till.sendall(bytes.fromhex("05 01 00"))

        def ask() -> bytes:
            # A busy terminal and a free one answer by the same way: read, decide, write.
            till.sendall(bytes.fromhex("06 02 00"))
            return till.recv(64)

        while till.recv(64)[-1:] != b"\0":
            pass
        till.sendall(bytes.fromhex("80 00 00"))
        yield ask


@contextmanager
def nexo(host: SimulatedHost, key: KeyName | None) -> Iterator[Callable[[], object]]:
    """One payment on nexo over HTTP, a connection each, as tills do."""
    passphrases = {key: PASSPHRASE} if key else {}
    wire = NexoWire(TransactionSession(host), NexoOptions(passphrases=passphrases, clear_allowed=True))
    with HttpServer(app_of([wire])) as server:
        till = NexoTill(NexoAddress(f"http://127.0.0.1:{server.port}/nexo", None, key, PASSPHRASE))
        yield lambda: till.pay(AMOUNT)


def payments(name: str, many: int, doing: Callable[[], object]) -> Row:
    """Time of each of many payments, and what they leave in memory."""
    for _ in range(20):
        doing()
    before, spent = resident_mb(), []
    for _ in range(many):
        started = time.perf_counter()
        doing()
        spent.append((time.perf_counter() - started) * 1e3)
    grown = round(resident_mb() - before, 1)
    times = {f"{name} ms": value for name, value in quantiles(spent).items()}
    return {"what": name, "payments": many, **times, "grown MB": grown}


def abort_ms() -> list[Row]:
    """From the till's abort to the end of the sale, while the shopper is waited for."""
    rows: list[Row] = []
    terminal = ZvtTerminal(TransactionSession(SimulatedHost(SimulatorOptions(shopper_s=20))))
    with TcpServer(terminal.serve, TcpOptions()) as server:
        link = connect_tcp("127.0.0.1", server.port)
        with ZvtTill(link) as till:
            rows.append(_aborted("zvt", lambda: till.pay(AMOUNT.minor), till.abort))
            link.close()
    session = TransactionSession(SimulatedHost(SimulatorOptions(shopper_s=20)))
    with HttpServer(app_of([NexoWire(session, NexoOptions(clear_allowed=True))])) as http:
        nexo_till = NexoTill(NexoAddress(f"http://127.0.0.1:{http.port}/nexo"))
        service = nexo_till.new_service_id()
        pay = lambda: nexo_till.pay(AMOUNT, service_id=service)  # noqa: E731
        rows.append(_aborted("nexo", pay, lambda: nexo_till.abort(service)))
    return rows


def _aborted(name: str, pay: Callable[[], object], abort: Callable[[], object]) -> Row:
    worker = threading.Thread(target=pay)
    worker.start()
    time.sleep(0.3)
    started = time.perf_counter()
    abort()
    worker.join()
    return {"what": f"{name}, abort to the end", "ms": round((time.perf_counter() - started) * 1e3, 1)}


def main() -> int:
    """Measure and tell."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    warnings.simplefilter("ignore", UserWarning)
    tell("wires_zvt_nexo_codecs", codecs())
    rows = []
    host = SimulatedHost()
    for name, opened in (
        ("zvt, command to its answer", zvt_first_answer(host)),
        ("zvt, whole payment", zvt(host)),
        ("nexo, whole payment, clear", nexo(host, None)),
        ("nexo, whole payment, hidden", nexo(host, KEY)),
    ):
        host.payments.clear()
        with opened as doing:
            rows.append(payments(name, many, doing))
    note = "the simulated host and the wires remember each payment; the till runs in the same process"
    tell("wires_zvt_nexo_payments", rows, [note])
    tell("wires_zvt_nexo_aborts", abort_ms())
    return 0


if __name__ == "__main__":
    sys.exit(main())
