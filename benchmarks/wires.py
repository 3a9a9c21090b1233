"""How much time do the wires add to a payment, and do they stay small?

`python -m benchmarks.wires [PAYMENTS [WIRE]]`; the simulated host takes no time, so what is measured is the
adapter: codec throughput, till request in to first byte out on loopback, and memory over many payments.
How fast an abort is honoured is measured by `benchmarks.wires_aborts`.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable

from benchmarks.arguments import whole_numbers
from benchmarks.results import quantiles, resident_mb, tell
from benchmarks.wires_tills import (
    CAISSE,
    CONCERT,
    KEY,
    NEXO_KEY,
    NEXO_PASSPHRASE,
    WIRES,
    ZVT_PAYMENT,
    nexo_payment,
)
from pos_adapter.protocols.caisse_ap.frames import CaisseCodec
from pos_adapter.protocols.caisse_ap.messages import request_of
from pos_adapter.protocols.concert.frames import ConcertCodec
from pos_adapter.protocols.hw_proxy.messages import call_of, payment_info_of
from pos_adapter.protocols.nexo import envelope
from pos_adapter.protocols.nexo.local_encryption import KeyRing
from pos_adapter.protocols.rest.documents import load_object, payment_request_of
from pos_adapter.protocols.zvt import commands, serial_frame
from pos_adapter.protocols.zvt.apdu import Apdu, ApduCodec
from pos_adapter.protocols.zvt.serial_frame import BlockReader
from pos_adapter.simulator.host import SimulatedHost
from pos_adapter.types import ExchangeKey, Settlement

Row = dict[str, object]
_BOOKS = 200
"""The simulated host remembers every payment for its tests; here its books are cut as they grow."""


def codecs() -> list[Row]:
    """Messages cut and understood a second, whole messages at a time."""
    keys = KeyRing({NEXO_KEY: NEXO_PASSPHRASE})
    clear, hidden = nexo_payment("S1", None, keys), nexo_payment("S1", NEXO_KEY, keys)
    block = serial_frame.encode(ZVT_PAYMENT)
    document = b'{"amount": {"minor": 1240, "currency": "EUR"}, "reference": "basket 7"}'
    info = {"amount": 12.4, "currency_iso": "EUR", "payment_mode": "card", "payment_id": "8f2c"}
    call = json.dumps({"id": 1, "jsonrpc": "2.0", "params": {"payment_info": json.dumps(info)}}).encode()
    key = ExchangeKey("rest", "facepay", "1", KEY)
    work: dict[str, Callable[[], object]] = {
        "rest": lambda: payment_request_of(load_object(document, {"amount", "reference"}), key),
        "hw_proxy": lambda: payment_info_of(call_of(call).params),
        "nexo, clear": lambda: envelope.decode(clear, keys),
        "nexo, hidden": lambda: envelope.decode(hidden, keys),
        "zvt over TCP": lambda: _zvt_order(ZVT_PAYMENT),
        "zvt, a serial block": lambda: BlockReader().feed(block),
        "caisse_ap": lambda: request_of({tag.name: tag.value for tag in CaisseCodec().feed(CAISSE)}),  # type: ignore[union-attr]
        "concert": lambda: ConcertCodec().feed(CONCERT),
    }
    return [{"wire": wire, "messages a second": _per_second(read)} for wire, read in work.items()]


def _zvt_order(data: bytes) -> object:
    (message,) = ApduCodec().feed(data)
    return commands.decode(message) if isinstance(message, Apdu) else None


def _per_second(work: Callable[[], object], seconds: float = 1.0) -> int:
    done, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds:
        work()
        done += 1
    return round(done / spent)


def payments(name: str, count: int) -> Row:
    """Latency and memory over `count` payments of one wire, one after another, each acknowledged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        host = SimulatedHost()
    captured, times = 0, []
    with WIRES[name](host) as pay:
        for number in range(50):
            pay(number)
        memory = [resident_mb()]
        for number in range(count):
            times.append(pay(50 + number))
            if number == count // 2:
                memory.append(resident_mb())
            if len(host.payments) > 2 * _BOOKS:
                captured += _cut(host)
        memory.append(resident_mb())
        time.sleep(0.3)
    captured += sum(r.settlement is Settlement.CAPTURED for r in host.payments.values())
    row: Row = {"wire": name, "payments": count, **{f"{k} ms": v for k, v in quantiles(times).items()}}
    row.update(zip(("MB at start", "MB half-way", "MB at end"), memory, strict=True))
    return {**row, "all captured": captured == count + 50}


def _cut(host: SimulatedHost) -> int:
    """Drop the oldest payments from the host's books; how many of them were captured."""
    oldest = list(host.payments)[:-_BOOKS]
    dropped = [host.payments.pop(key) for key in oldest]
    return sum(record.settlement is Settlement.CAPTURED for record in dropped)


def main() -> int:
    """Run all; the arguments are the payments a wire (300 unless given) and one wire of `WIRES`."""
    count = (whole_numbers(sys.argv[1:2], "[PAYMENTS [WIRE ...]]") or [300])[0]
    chosen = sys.argv[2:] or list(WIRES)
    if unknown := [name for name in chosen if name not in WIRES]:
        raise SystemExit(f"no wire {unknown[0]!r}; there are {', '.join(WIRES)}")
    if not sys.argv[2:]:
        tell("wires_codecs", codecs())
    note = "till request out to the first byte of the answer in, on loopback; the host takes no time"
    tell("wires_payments", [payments(name, count) for name in chosen], [note])
    return 0


if __name__ == "__main__":
    sys.exit(main())
