"""The card terminal behind a ZVT wire takes what the face did not."""

from __future__ import annotations

import pytest

from pos_adapter.protocols.zvt.apdu import Apdu
from pos_adapter.protocols.zvt.commands import Command
from pos_adapter.protocols.zvt.options import ZvtOptions
from pos_adapter.protocols.zvt.session import ZvtTerminal
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost
from pos_adapter.tcp_link import TcpOptions, TcpServer, connect_tcp
from pos_adapter.types import (
    AdjustmentResponse,
    PaymentRecord,
    RefundRequest,
    Settlement,
    Totals,
)
from pos_adapter.upstream import Upstream
from tests.flow.pos.zvt_shop import (
    FAST,
    host,
    settlements,
    shop,
)

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")


@pytest.mark.parametrize("how", ["forward", "refused", "unreachable"])
def test_the_card_terminal_behind_us_takes_what_the_face_did_not(how: str) -> None:
    cards, faces = host(), host()
    behind = ZvtTerminal(
        TransactionSession(cards), ZvtOptions(terminal_id=87654321, times=FAST, language="en")
    )
    with TcpServer(behind.serve, TcpOptions()) as server:
        port = server.port if how != "unreachable" else 1
        upstream = Upstream(lambda: connect_tcp("127.0.0.1", port), quiet_s=5)
        with shop(faces, upstream=upstream) as (till, _):
            till.register()
            if how == "refused":
                cards.broken = RuntimeError("no cards today")
            told = till.pay(1201)
            cards.payments.clear()
    if how == "unreachable":
        assert told.code == 0xA3
    elif how == "refused":
        assert told.code == 0xFF
    assert settlements(faces) == [Settlement.NONE]


def test_a_forwarded_payment_is_the_card_terminals_alone() -> None:
    cards, faces = host(), host()
    faces.broken = RuntimeError("camera, models and database are gone")
    behind = ZvtTerminal(
        TransactionSession(cards), ZvtOptions(terminal_id=87654321, times=FAST, language="en")
    )
    with TcpServer(behind.serve, TcpOptions()) as server:
        upstream = Upstream(lambda: connect_tcp("127.0.0.1", server.port), quiet_s=5)
        with shop(faces, upstream=upstream) as (till, _):
            till.register()
            paid = till.pay(1234)
    assert paid.success
    assert paid.status is not None
    assert paid.status.terminal_id == 87654321
    assert paid.printed
    assert settlements(cards) == [Settlement.CAPTURED]
    assert not faces.payments


class Dead(SimulatedHost):
    """Camera, models and database are gone: every question fails."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = RuntimeError("everything is gone")

    def find_receipt(self, receipt_number: int) -> PaymentRecord | None:
        raise RuntimeError("no records")

    def latest(self, wire: str, till: str) -> PaymentRecord | None:
        raise RuntimeError("no records")

    def refund(self, request: RefundRequest) -> AdjustmentResponse:
        raise RuntimeError("no provider")

    def totals(self, close: bool) -> Totals:
        raise RuntimeError("no figures")


def test_every_order_reaches_the_card_terminal_while_everything_else_is_dead() -> None:
    cards = host()
    behind = ZvtTerminal(TransactionSession(cards), ZvtOptions(terminal_id=87654321, times=FAST))
    with TcpServer(behind.serve, TcpOptions()) as server:
        upstream = Upstream(lambda: connect_tcp("127.0.0.1", server.port), quiet_s=5)
        with shop(Dead(), upstream=upstream) as (till, _):
            till.register()
            assert till.status().completion[-1:] == b"\0"
            paid = till.pay(1234)
            assert paid.success
            assert paid.status is not None
            assert till.repeat_receipt().status is not None
            assert till.send(Apdu(Command.DIAGNOSIS)).success
            assert till.reverse(paid.status.receipt or 0).success
            assert till.refund(100).code == 0xB5
            assert till.end_of_day().success
            # The card terminal here knows no reservations, and says so.
            assert till.send(Apdu(0x0622, bytes.fromhex("04 00 00 00 00 12 40"))).code == 0x83
    assert settlements(cards) == [Settlement.VOIDED]
