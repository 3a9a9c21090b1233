"""All six wires listen at once over one host; the second sale is told busy in its own language."""

from __future__ import annotations

import dataclasses
import socket
from typing import Any

import pytest

from facepay.errors import PluginError, SettingsError
from facepay.settings import Settings
from facepay.settings.secret import SecretReference
from facepay.settings.sections import PosSettings
from facepay.terminal.wires import open_wires
from facepay.testing.waiting import eventually
from pos_adapter.errors import LinkUnavailable
from pos_adapter.simulator.desks import Action, DeskOptions, Order, open_desk
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.types import Money, Settlement, TerminalStatus

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
KEY = "till-one-secret-0123456789"
KEYS = {"rest": KEY}
WIRES = ("rest", "hw_proxy", "nexo", "concert", "caisse_ap", "zvt")


def settings(monkeypatch: pytest.MonkeyPatch, wires: tuple[str, ...], options: dict[str, Any]) -> Settings:
    monkeypatch.setenv("POS_TOKEN", KEY)
    pos = PosSettings(wires=wires, rest_port=0, tcp_port=0, rest_token=SecretReference("env:POS_TOKEN"))
    return dataclasses.replace(Settings(), pos=dataclasses.replace(pos, options=options))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.fault("a second client while busy", "rest", "concert")
def test_six_wires_share_one_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    host = SimulatedHost(SimulatorOptions(shopper_s=60))
    options: dict[str, Any] = {wire: {"port": free_port()} for wire in WIRES if wire != "rest"}
    options["nexo"]["clear_allowed"] = True
    with open_wires(settings(monkeypatch, WIRES, options), host) as addresses:
        assert set(addresses) == set(WIRES)
        desks = {
            wire: open_desk(wire, DeskOptions(addresses[wire].removeprefix("tcp://"), key=KEYS.get(wire, "")))
            for wire in WIRES
        }
        with socket.create_connection(("127.0.0.1", options["caisse_ap"]["port"])) as running:
            running.sendall(b"CZ0040300CJ012012345678901CA00201CE003978CD0010CB0041234")
            eventually(lambda: host.payments)
            http = ("rest", "hw_proxy", "caisse_ap", "zvt", "nexo")
            busy = {wire: desks[wire].act(Order(Action.PAY, Money(1240, "EUR"))) for wire in http}
            busy["concert"] = desks["concert"].act(Order(Action.STATUS))
            assert not any(told.done for told in busy.values())
            assert busy["rest"].document["type"] == "/problems/busy"
            assert busy["caisse_ap"].document["AF"] == "07"
            assert busy["zvt"].document["code"] == "A0"
            assert busy["nexo"].text.startswith("Failure, Busy")
            host.act()
            assert b"AE00210" in running.recv(1024)
        eventually(lambda: host.status() is TerminalStatus.READY)
        host.options = SimulatorOptions()
        for desk in desks.values():
            assert desk.act(Order(Action.PAY, Money(1240, "EUR"))).done
        eventually(lambda: [r.settlement for r in host.payments.values()] == [Settlement.CAPTURED] * 7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"caisse_ap": {"prot": 1}}, "did you mean pos.options.caisse_ap.port"),
        ({"caisse_ap": {"repetition": "sometimes"}}, "repetition"),
        ({"zvt": {}}, "pos.wires does not open"),
        ({"caisse_ap": 3}, "is a table"),
    ],
)
def test_a_wrong_option_is_named(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], message: str
) -> None:
    wrong = settings(monkeypatch, ("caisse_ap",), options)
    with pytest.raises((SettingsError, PluginError), match=message), open_wires(wrong, SimulatedHost()):
        pass


def test_an_unknown_wire_and_a_port_in_use_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        pytest.raises(PluginError, match="did you mean zvt"),
        open_wires(settings(monkeypatch, ("zvtt",), {}), SimulatedHost()),
    ):
        pass
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for wire in ("caisse_ap", "hw_proxy"):
            with (
                pytest.raises(LinkUnavailable, match=str(port)),
                open_wires(settings(monkeypatch, (wire,), {wire: {"port": port}}), SimulatedHost()),
            ):
                pass
