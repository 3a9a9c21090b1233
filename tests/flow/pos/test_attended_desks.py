"""Ctrl-C at the simulated desk: a sale is named when it begins, and aborted in the wire's own way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from pos_adapter.errors import BadRequest
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.attending import Attending
from pos_adapter.simulator.conformance import Subject, Verdict, check
from pos_adapter.simulator.desks import Action, DeskOptions, Order, open_desk
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.simulator.serving import ServeOptions, serve_simulated
from pos_adapter.types import Money, Outcome, TerminalStatus

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
KEYS = {"rest": "till-one-secret-0123456789", "nexo": "till-key:1:a passphrase"}
NAMED = {"rest", "nexo", "hw_proxy"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def options_at(where: str, key: str) -> DeskOptions:
    address, _, authority = where.removesuffix(")").partition(" (authority ")
    return DeskOptions(address=address, key=key, authority=authority)


@pytest.mark.parametrize("wire", ["rest", "nexo", "hw_proxy", "zvt", "caisse_ap", "concert"])
def test_a_sale_is_named_at_once_and_aborted_by_hand(wire: str) -> None:
    host, said = SimulatedHost(SimulatorOptions(patience_s=60)), list[str]()
    served = ServeOptions(DeskOptions(address=f"127.0.0.1:{free_port()}", key=KEYS.get(wire, "")))
    with serve_simulated(wire, TransactionSession(host), served) as where:
        desk = open_desk(wire, options_at(where, served.desk.key))
        attending = Attending(desk, Order(Action.PAY, Money(1210, "EUR"), patience_s=60), said.append)

        def press() -> None:
            deadline = time.monotonic() + 60
            while not said or host.status() is not TerminalStatus.BUSY:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            attending.abort()

        threading.Thread(target=press, daemon=True).start()
        told = attending.outcome()
        assert not told.done
        assert said[0].startswith("begun: " if wire in NAMED else "begun (")
        assert said[1].startswith("aborting")
        deadline = time.monotonic() + 60
        while (end := next(iter(host.payments.values())).response) is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert end is not None
        assert end.outcome is Outcome.CASHIER_ABORT


@pytest.fixture
def heard_ctrl_c() -> Iterator[None]:
    """A shell has its background jobs ignore Ctrl-C, and they hand that down to what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard_ctrl_c")
def test_ctrl_c_aborts_and_waits_for_the_end() -> None:
    served = ServeOptions(DeskOptions(address=f"127.0.0.1:{free_port()}", key=KEYS["rest"]))
    with serve_simulated("rest", TransactionSession(SimulatedHost()), served) as address:
        words = ["rest", "--address", address, "--key", "env:TILL_KEY", "pay", "12.10"]
        till = subprocess.Popen(
            [sys.executable, "-m", "pos_adapter.simulator", *words],
            env={**os.environ, "TILL_KEY": KEYS["rest"]},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert till.stderr is not None
        assert till.stderr.readline().startswith("begun: ")
        till.send_signal(signal.SIGINT)
        told, _ = till.communicate(timeout=60)
    assert (till.returncode, "cashier abort" in told) == (3, True)


def test_where_nothing_has_begun_ctrl_c_ends_the_command() -> None:
    attending = Attending(open_desk("zvt", DeskOptions()), Order(Action.PAY), print)
    with pytest.raises(KeyboardInterrupt):
        attending.abort()
    with pytest.raises(BadRequest, match="--address"):
        attending.outcome()


def test_a_nexo_abort_says_whether_anybody_knows_the_payment() -> None:
    served = ServeOptions(DeskOptions(address=f"127.0.0.1:{free_port()}", key=KEYS["nexo"]))
    session = TransactionSession(SimulatedHost())
    with serve_simulated("nexo", session, served) as where:
        desk = open_desk("nexo", options_at(where, served.desk.key))
        with pytest.raises(BadRequest, match="ServiceID"):
            desk.act(Order(Action.ABORT))
        with session.occupied():
            busy = desk.act(Order(Action.PAY, Money(1240, "EUR")))
        assert (busy.done, busy.text.startswith("Failure, Busy")) == (False, True)
        unknown = desk.act(Order(Action.ABORT, transaction="nobody"))
        assert (unknown.done, "no payment" in unknown.text) == (False, True)
        paid = desk.act(Order(Action.PAY, Money(1240, "EUR")))
        late = desk.act(Order(Action.ABORT, transaction=paid.text.rpartition("ServiceID ")[2]))
        assert (late.done, "is over" in late.text) == (False, True)


@pytest.mark.parametrize(
    "options", [DeskOptions(port="/dev/no-such-line"), DeskOptions(address=f"127.0.0.1:{free_port()}")]
)
def test_a_terminal_that_cannot_be_reached_is_said_once(options: DeskOptions) -> None:
    findings = []
    assert not check(Subject("concert", options), findings.append)
    assert [finding.verdict for finding in findings] == [Verdict.FAILED]
