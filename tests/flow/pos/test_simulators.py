"""The simulators as people run them: a terminal served, a cash desk that pays at it, exit codes."""

from __future__ import annotations

import json
import os
import threading
import tty

import pytest

from pos_adapter.errors import BadRequest
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.__main__ import main
from pos_adapter.simulator.desks import Action, DeskOptions, Order, open_desk
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.simulator.serving import ServeOptions, serve_simulated
from pos_adapter.types import Money, Settlement

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
KEY = "till-one-secret-0123456789"


def serve(wire: str, host: SimulatedHost) -> object:
    options = ServeOptions(DeskOptions(address=f"127.0.0.1:{free_port()}", key=KEY))
    return serve_simulated(wire, TransactionSession(host), options)


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("wire", ["rest", "hw_proxy", "caisse_ap"])
def test_a_cash_desk_pays_and_hears_a_refusal(wire: str, capsys: pytest.CaptureFixture[str]) -> None:
    host = SimulatedHost(SimulatorOptions())
    os.environ["TILL_KEY_OF_TEST"] = KEY
    with serve(wire, host) as address:  # type: ignore[attr-defined]
        base = [wire, "--address", address, "--key", "env:TILL_KEY_OF_TEST"]
        assert main([*base, "pay", "12.40"]) == 0
        assert main([*base, "--json", "pay", "12.01"]) == 3
        document = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert document["done"] is False
        assert main([*base, "pay", "12.405"]) == 2
        assert main([*base, "pay"]) == 2
    settlements = [record.settlement for record in host.payments.values()]
    assert settlements == [Settlement.CAPTURED, Settlement.NONE]


def test_a_concert_desk_pays_over_a_pseudo_terminal_pair() -> None:
    host = SimulatedHost(SimulatorOptions())
    masters, slaves = zip(os.openpty(), os.openpty(), strict=True)
    for end in (*masters, *slaves):
        tty.setraw(end)
    stop = threading.Event()
    threads = [
        threading.Thread(target=copy, args=(masters[i], masters[1 - i], stop), daemon=True) for i in (0, 1)
    ]
    for thread in threads:
        thread.start()
    ports = [os.ttyname(slave) for slave in slaves]
    options = ServeOptions(DeskOptions(port=ports[0]))
    with serve_simulated("concert", TransactionSession(host), options):
        desk = open_desk("concert", DeskOptions(port=ports[1]))
        assert desk.act(Order(Action.STATUS)).done
        told = desk.act(Order(Action.PAY, Money(1240, "EUR"), patience_s=10))
        assert told.done, told.text
        assert not desk.act(Order(Action.PAY, Money(1201, "EUR"), patience_s=10)).done
        with pytest.raises(BadRequest, match="end-of-day"):
            desk.act(Order(Action.END_OF_DAY))
    stop.set()
    for end in (*masters, *slaves):
        os.close(end)


def copy(source: int, target: int, stop: threading.Event) -> None:
    import select

    while not stop.is_set():
        ready, _, _ = select.select([source], [], [], 0.1)
        if ready and not stop.is_set():
            try:
                os.write(target, os.read(source, 4096))
            except OSError:
                return


def test_rest_desk_shows_cancels_refunds_and_closes_the_day() -> None:
    host = SimulatedHost(SimulatorOptions())
    with serve("rest", host) as address:  # type: ignore[attr-defined]
        desk = open_desk("rest", DeskOptions(address=address, key=KEY))
        paid = desk.act(Order(Action.PAY, Money(1240, "EUR")))
        identifier = str(paid.document["id"])
        assert desk.act(Order(Action.STATUS)).text == "ready"
        assert desk.act(Order(Action.STATUS, transaction=identifier)).done
        assert not desk.act(Order(Action.ABORT, transaction=identifier)).done
        refunded = desk.act(Order(Action.REFUND, transaction=identifier))
        assert (refunded.done, " | done" in refunded.text) == (True, True)
        again = desk.act(Order(Action.REVERSE, transaction=identifier))
        assert (again.done, " | done" in again.text) == (False, False)
        assert "1 payments 12.40 EUR" in desk.act(Order(Action.END_OF_DAY)).text


@pytest.mark.parametrize(
    "argv",
    [
        ["rest", "--address", "127.0.0.1:1", "--key", "plain-text", "pay", "1"],
        ["rest", "--key", "env:NOT_SET_ANYWHERE", "--address", "127.0.0.1:1", "pay", "1"],
        ["caisse_ap", "--address", "nowhere:port", "pay", "1.00"],
        ["concert", "pay", "1.00"],
    ],
)
def test_wrong_arguments_are_named_with_exit_code_2(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    assert "error:" in capsys.readouterr().err


def test_a_terminal_that_is_not_there_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["caisse_ap", "--address", f"127.0.0.1:{free_port()}", "pay", "1.00"]) == 1
    assert "cannot reach" in capsys.readouterr().err
