"""A till that gives up is obeyed at every step of a sale, on every wire; nothing is charged."""

from __future__ import annotations

import dataclasses
import socket
import threading
import time

import pytest

from facepay.settings import Settings
from facepay.settings.secret import SecretReference
from facepay.settings.sections import PosSettings
from facepay.terminal.wires import open_wires
from pos_adapter.base import ProgressListener
from pos_adapter.simulator.aborts import SALES
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.types import Money, PaymentRequest, PaymentResponse, ProgressStep, Settlement, TerminalStatus

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
KEY = "till-one-secret-0123456789"
STEPS = (
    ProgressStep.WAITING_FOR_SHOPPER,
    ProgressStep.CAPTURING,
    ProgressStep.CONFIRMING,
    ProgressStep.AUTHORISING,
)


class Watched(SimulatedHost):
    """Tells when a sale has come to the step it lingers at."""

    def __init__(self, step: ProgressStep) -> None:
        super().__init__(SimulatorOptions(lingers_at=step))
        self.there = threading.Event()

    def pay(self, request: PaymentRequest, progress: ProgressListener) -> PaymentResponse:
        def watched(step: ProgressStep) -> None:
            progress(step)
            if step is self.options.lingers_at:
                self.there.set()

        return super().pay(request, watched)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.fault("gone after the request", "rest", "nexo", "concert")
@pytest.mark.fault("abort at every state", "rest", "nexo", "zvt", "concert", "caisse_ap", "hw_proxy")
@pytest.mark.parametrize("wire", sorted(SALES))
def test_a_sale_given_up_at_any_step_ends_without_money(wire: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POS_TOKEN", KEY)
    port = free_port()
    options: dict[str, object] = {} if wire in ("rest", "zvt") else {wire: {"port": port}}
    if wire == "nexo":
        options = {wire: {"port": port, "clear_allowed": True}}
    pos = PosSettings(wires=(wire,), rest_port=port, tcp_port=port, options=options)
    pos = dataclasses.replace(pos, rest_token=SecretReference("env:POS_TOKEN"))
    for step in STEPS:
        host = Watched(step)
        with open_wires(dataclasses.replace(Settings(), pos=pos), host):
            abort = SALES[wire](port, Money(1240, "EUR"), KEY)
            assert host.there.wait(10), step
            abort()
            # The terminal waits 30 s for nobody: without the abort this deadline is missed.
            deadline = time.monotonic() + 10
            while host.status() is not TerminalStatus.READY:
                assert time.monotonic() < deadline, step
                time.sleep(0.005)
            (record,) = host.payments.values()
            assert record.settlement in (Settlement.NONE, Settlement.VOIDED), step
