"""Odoo's own code as clients: Caisse-AP from its server, hw_proxy from its browser page in Node."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pos_adapter.http_link import HttpServer, app_of
from pos_adapter.protocols.caisse_ap.terminal import CaisseTerminal
from pos_adapter.protocols.hw_proxy.wire import HwProxyWire
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.tcp_link import TcpOptions, TcpServer
from pos_adapter.types import Settlement

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
HERE = Path(__file__).parent


def settlements(host: SimulatedHost) -> list[Settlement]:
    deadline = time.monotonic() + 10
    while not host.payments or any(
        r.settlement is Settlement.PENDING or r.response is None for r in host.payments.values()
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return [record.settlement for record in host.payments.values()]


Till = Callable[..., dict[str, Any]]


@pytest.fixture
def odoo_server_pays(python_clients: Path, addons: Path) -> Till:
    model = addons / "l10n_fr_pos_caisse_ap_ip" / "models" / "pos_payment_method.py"

    def pay(port: int, amount: float, timeout_ms: int = 10_000) -> dict[str, Any]:
        command = [str(python_clients), str(HERE / "odoo_caisse_till.py"), str(model)]
        command += [str(port), str(amount), str(timeout_ms)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return pay


def test_odoo_pays_hears_refusals_by_name_and_cancels_by_hanging_up(odoo_server_pays: Till) -> None:
    host = SimulatedHost(SimulatorOptions(shopper_s=0.1))
    terminal = CaisseTerminal(TransactionSession(host))
    with TcpServer(terminal.serve, TcpOptions()) as server:
        paid = odoo_server_pays(server.port, 12.40)
        assert paid["payment_status"] == "success"
        assert "AA-FACE##########0042" in paid["transaction_id"]
        refused = odoo_server_pays(server.port, 12.01)
        assert refused["payment_status"] == "failure"
        assert "Refus" in refused["error_message"]
        assert odoo_server_pays(server.port, 12.04)["payment_status"] == "failure"
        # The till's patience of one second ends first: it hangs up, which cancels.
        assert odoo_server_pays(server.port, 12.10, timeout_ms=4_000)["payment_status"] == "issue"
        expected = [Settlement.CAPTURED, Settlement.NONE, Settlement.NONE, Settlement.NONE]
        assert settlements(host) == expected


@pytest.mark.node
def test_odoos_page_pays_hears_a_refusal_and_retries_the_same_line(addons: Path) -> None:
    host = SimulatedHost(SimulatorOptions(shopper_s=0.1))
    wire = HwProxyWire(TransactionSession(host))
    page = addons / "pos_payment_terminal" / "static" / "src" / "app" / "payment_terminal.esm.js"
    with HttpServer(app_of([wire])) as server, wire:
        command = [shutil.which("node") or "node", str(HERE / "odoo_browser.mjs"), str(page)]
        command += [
            f"http://127.0.0.1:{server.port}",
            "12.40",
            "line-1",
            "12.01",
            "line-2",
            "12.40",
            "line-1",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        paid, refused, again = (json.loads(line) for line in done.stdout.splitlines())
        assert settlements(host) == [Settlement.CAPTURED, Settlement.NONE]
    assert paid["paid"] is True
    assert (refused["paid"], refused["alerts"]) == (False, [])
    assert (again["paid"], again["transaction"]) == (True, paid["transaction"])
