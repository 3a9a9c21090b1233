"""Concert with `pyTeliumManager` and `pypostelium`, each over a pseudo-terminal pair."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pos_adapter.protocols.concert.terminal import ConcertTerminal
from pos_adapter.serial_link import SerialOptions, SerialServer
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.types import Settlement

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
SCRIPT = Path(__file__).with_name("concert_tills.py")


@contextmanager
def cable() -> Iterator[tuple[str, str]]:
    """Two serial ports joined in the middle."""
    masters, slaves = zip(os.openpty(), os.openpty(), strict=True)
    for end in (*masters, *slaves):
        tty.setraw(end)
    stop = threading.Event()
    threads = [threading.Thread(target=copy, args=(masters[i], masters[1 - i], stop)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    try:
        yield os.ttyname(slaves[0]), os.ttyname(slaves[1])
    finally:
        stop.set()
        for thread in threads:
            thread.join(2)
        for end in (*masters, *slaves):
            os.close(end)


def copy(source: int, target: int, stop: threading.Event) -> None:
    import select

    while not stop.is_set():
        if select.select([source], [], [], 0.05)[0]:
            os.write(target, os.read(source, 4096))


@contextmanager
def terminal(host: SimulatedHost) -> Iterator[str]:
    serve = ConcertTerminal(TransactionSession(host)).serve
    with cable() as (ours, theirs), SerialServer(serve, SerialOptions(ours)):
        yield theirs


Drive = Callable[..., dict[str, Any]]


@pytest.fixture
def drive(python_clients: Path) -> Drive:
    def run(client: str, port: str, amount: float, mode: str = "debit") -> dict[str, Any]:
        command = [str(python_clients), "-W", "ignore", str(SCRIPT), client, port, str(amount), mode]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer

    return run


def settlements(host: SimulatedHost) -> list[Settlement]:
    deadline = time.monotonic() + 10
    while not host.payments or any(
        r.settlement is Settlement.PENDING or r.response is None for r in host.payments.values()
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return [record.settlement for record in host.payments.values()]


def test_telium_finds_the_terminal_pays_and_hears_a_refusal(drive: Drive) -> None:
    host = SimulatedHost(SimulatorOptions(shopper_s=0.3))
    with terminal(host) as port:
        assert drive("telium", port, 1.0, "probe") == {"there": True}
        paid = drive("telium", port, 12.40)
        assert paid["success"] is True
        assert paid["amount"] == 12.40
        assert "FACEPAY" in paid["report"]
        refused = drive("telium", port, 12.01)
        assert (refused["success"], refused["result"]) == (False, 7)
    assert settlements(host) == [Settlement.CAPTURED, Settlement.NONE]


def test_telium_gets_a_refund_of_its_last_payment(drive: Drive) -> None:
    host = SimulatedHost(SimulatorOptions())
    with terminal(host) as port:
        assert drive("telium", port, 12.40)["success"] is True
        assert drive("telium", port, 12.40, "refund")["success"] is True
    assert settlements(host) == [Settlement.VOIDED]


def test_postelium_never_waits_so_the_host_is_told_that_nobody_listens(drive: Drive) -> None:
    host = SimulatedHost(SimulatorOptions(shopper_s=0.3))
    with terminal(host) as port:
        assert drive("postelium", port, 12.40) == {"sent": True}
        assert settlements(host) == [Settlement.CAPTURED]
    (record,) = host.payments.values()
    assert record.request.till_listens is False


@pytest.mark.socat
def test_telium_pays_through_a_cable_made_by_socat(tmp_path: Path, drive: Drive) -> None:
    ours, theirs = tmp_path / "terminal", tmp_path / "till"
    ends = [f"pty,raw,echo=0,link={ours}", f"pty,raw,echo=0,link={theirs}"]
    socat = subprocess.Popen(["socat", *ends], stderr=subprocess.DEVNULL)
    try:
        while not (ours.exists() and theirs.exists()):
            time.sleep(0.05)
        host = SimulatedHost(SimulatorOptions())
        with SerialServer(ConcertTerminal(TransactionSession(host)).serve, SerialOptions(str(ours))):
            assert drive("telium", str(theirs), 12.40)["success"] is True
    finally:
        socat.kill()
        socat.wait(5)
    assert settlements(host) == [Settlement.CAPTURED]
