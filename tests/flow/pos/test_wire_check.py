"""`facepay till` and `facepay wire-check` against simulated terminals."""

from __future__ import annotations

import json

import pytest

from facepay.cli.main import main
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.desks import DeskOptions
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.simulator.serving import ServeOptions, serve_simulated
from pos_adapter.types import Settlement

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
KEY = "till-one-secret-0123456789"


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("wire", ["rest", "caisse_ap", "hw_proxy"])
def test_our_own_terminals_pass_every_case(
    wire: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHECK_KEY", KEY)
    host = SimulatedHost(SimulatorOptions())
    options = ServeOptions(DeskOptions(address=f"127.0.0.1:{free_port()}", key=KEY))
    with serve_simulated(wire, TransactionSession(host), options) as address:
        argv = ["wire-check", "--wire", wire, "--address", address, "--key", "env:CHECK_KEY", "--json"]
        assert main([*argv, "--pays", "12.40", "--refuses", "12.01"]) == 0
        report = json.loads(capsys.readouterr().out)
        verdicts = [case["verdict"] for case in report["cases"]]
        assert "failed" not in verdicts
        assert verdicts.count("passed") >= 8
        pay = ["till", "--wire", wire, "--address", address, "--key", "env:CHECK_KEY", "pay"]
        assert main([*pay, "12.40"]) == 0
        assert main([*pay, "12.01"]) == 3
    captured = [r for r in host.payments.values() if r.settlement is Settlement.CAPTURED]
    assert len(captured) == 4


def test_a_terminal_that_is_not_there_fails_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wire-check", "--wire", "caisse_ap", "--address", f"127.0.0.1:{free_port()}"]) == 4
    assert "cannot reach" in capsys.readouterr().out
