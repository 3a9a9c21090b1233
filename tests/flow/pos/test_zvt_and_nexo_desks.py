"""`facepay till` on ZVT and nexo: the simulated cash desk against the simulated terminal."""

from __future__ import annotations

import socket

import pytest

from pos_adapter.errors import BadRequest
from pos_adapter.session import TransactionSession
from pos_adapter.simulator import conformance
from pos_adapter.simulator.conformance import Finding, Subject, Verdict, check
from pos_adapter.simulator.desks import Action, DeskOptions, Order, Told, open_desk
from pos_adapter.simulator.host import SimulatedHost
from pos_adapter.simulator.serving import ServeOptions, serve_simulated
from pos_adapter.types import Money

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_zvt_desk_pays_reverses_refunds_and_closes_the_day(free_port: int) -> None:
    options = DeskOptions(address=f"127.0.0.1:{free_port}")
    with serve_simulated("zvt", TransactionSession(SimulatedHost()), ServeOptions(options)):
        desk = open_desk("zvt", options)

        def act(action: Action, amount: int | None = None, transaction: str = "") -> Told:
            return desk.act(Order(action, Money(amount, "EUR") if amount else None, transaction, 10))

        assert act(Action.STATUS).text == "ready"
        paid = act(Action.PAY, 1240)
        assert paid.done
        assert act(Action.REVERSE, transaction=str(paid.document["receipt"])).done
        assert not act(Action.PAY, 1201).done
        second = act(Action.PAY, 700)
        assert act(Action.REFUND, 200, str(second.document["receipt"])).done
        assert act(Action.END_OF_DAY).document["amount_minor"] == 500
        assert act(Action.ABORT).done
        with pytest.raises(BadRequest, match="receipt number"):
            act(Action.REVERSE, transaction="abc")


def test_a_nexo_desk_pays_asks_reverses_and_refunds(free_port: int) -> None:
    served = ServeOptions(DeskOptions(address=f"127.0.0.1:{free_port}", key="till-key:1:a passphrase"))
    with serve_simulated("nexo", TransactionSession(SimulatedHost()), served) as where:
        url, _, authority = where.removesuffix(")").partition(" (authority ")
        desk = open_desk("nexo", DeskOptions(address=url, key=served.desk.key, authority=authority))

        def act(action: Action, amount: int | None = None, transaction: str = "") -> Told:
            return desk.act(Order(action, Money(amount, "EUR") if amount else None, transaction, 10))

        assert act(Action.STATUS).text == "OK"
        paid = act(Action.PAY, 1240)
        assert paid.done
        service = paid.text.rsplit(" ", 1)[1]
        assert act(Action.STATUS, transaction=service).done
        reference = paid.text.split("POITransactionID ")[1].split(",")[0]
        assert act(Action.REFUND, 240, reference).done
        assert not act(Action.REVERSE, transaction=reference).done
        assert not act(Action.ABORT, transaction="S404").done
        assert "1 payments" in act(Action.END_OF_DAY).text or "1 refunds" in act(Action.END_OF_DAY).text
    with pytest.raises(BadRequest, match="IDENTIFIER"):
        open_desk("nexo", DeskOptions(address="https://127.0.0.1", key="only-a-passphrase")).act(
            Order(Action.PAY, Money(100, "EUR"))
        )


@pytest.mark.parametrize("wire", ["zvt", "nexo"])
def test_the_conformance_cases_of_the_wire_hold_here(
    wire: str, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformance, "_SETTLE_S", 0.1)
    served = ServeOptions(DeskOptions(address=f"127.0.0.1:{free_port}"))
    findings: list[Finding] = []
    with serve_simulated(wire, TransactionSession(SimulatedHost()), served) as where:
        url, _, authority = where.removesuffix(")").partition(" (authority ")
        options = DeskOptions(address=url, authority=authority)
        subject = Subject(wire, options, Money(1000, "EUR"), Money(1001, "EUR"), 10)
        assert check(subject, findings.append), findings
    assert len([finding for finding in findings if finding.verdict is Verdict.PASSED]) >= 12
