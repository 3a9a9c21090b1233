"""How fast is an abort honoured, on every wire and at every step of a sale?

`python -m benchmarks.wires_aborts [TIMES]`; milliseconds from the till's abort (or its pulling the line) to a
terminal that is free for the next sale.
"""

from __future__ import annotations

import os
import socket
import sys
import time
import warnings
from contextlib import ExitStack

from benchmarks.arguments import whole_numbers
from benchmarks.results import quantiles, tell
from facepay.settings import settings_from
from facepay.terminal.wires import open_wires
from pos_adapter.simulator.aborts import SALES
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.types import Money, ProgressStep

KEY = "till-one-secret-0123456789"
AMOUNT = Money(1240, "EUR")
STEPS = (
    ProgressStep.WAITING_FOR_SHOPPER,
    ProgressStep.CAPTURING,
    ProgressStep.CONFIRMING,
    ProgressStep.AUTHORISING,
)
Row = dict[str, object]


def _ports() -> dict[str, int]:
    with ExitStack() as stack:
        probes = {w: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for w in SALES}
        return {wire: int(probe.getsockname()[1]) for wire, probe in probes.items()}


def aborted_ms(host: SimulatedHost, wire: str, port: int) -> float:
    """One sale begun and given up."""
    abort = SALES[wire](port, AMOUNT, KEY)
    while host.status().value != "busy":
        time.sleep(0.001)
    # The sale walks to the step it lingers at in microseconds.
    time.sleep(0.02)
    started = time.perf_counter_ns()
    abort()
    while host.status().value != "ready":
        time.sleep(0.0005)
    spent = (time.perf_counter_ns() - started) / 1e6
    time.sleep(0.02)
    return spent


def main() -> int:
    """Measure every wire at every step."""
    times = (whole_numbers(sys.argv[1:], "[TIMES]", most=1) or [5])[0]
    warnings.simplefilter("ignore", UserWarning)
    os.environ["POS_TOKEN"] = KEY
    ports = _ports()
    options: dict[str, dict[str, object]] = {
        wire: {"port": port} for wire, port in ports.items() if wire not in ("rest", "zvt")
    }
    options["nexo"]["clear_allowed"] = True
    pos = {
        "wires": list(SALES),
        "options": options,
        "rest_port": ports["rest"],
        "tcp_port": ports["zvt"],
        "rest_token": "env:POS_TOKEN",
    }
    rows: list[Row] = []
    host = SimulatedHost()
    with open_wires(settings_from({"pos": pos}), host):
        for step in STEPS:
            host.options = SimulatorOptions(lingers_at=step)
            for wire, port in ports.items():
                spent = [aborted_ms(host, wire, port) for _ in range(times)]
                found = {f"{k} ms": v for k, v in quantiles(spent).items()}
                rows.append({"wire": wire, "step": step.value, "most ms": round(max(spent), 2), **found})
    tell("wires_aborts", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
