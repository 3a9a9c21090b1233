"""What a till may order besides a sale: status, money back, a lost answer, who stands there."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from facepay.testing.waiting import eventually
from pos_adapter.errors import LinkClosed
from pos_adapter.protocols.zvt import commands, tlv
from pos_adapter.protocols.zvt.apdu import Apdu
from pos_adapter.protocols.zvt.commands import Command, Service
from pos_adapter.protocols.zvt.session import ZvtTerminal
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.lines import MemoryLink, memory_cable
from pos_adapter.simulator.zvt_till import ZvtTill, agree
from pos_adapter.tcp_link import TcpOptions, TcpServer, connect_tcp
from pos_adapter.types import (
    Settlement,
    TerminalStatus,
)
from tests.flow.pos.zvt_shop import (
    OPTIONS,
    SILENT,
    host,
    refuse_status,
    settlements,
    shop,
    silent_on,
)

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")


@pytest.mark.fault("a second client while busy", "zvt")
def test_a_second_till_is_told_busy() -> None:
    ledger = host(shopper_s=60)
    terminal = ZvtTerminal(TransactionSession(ledger), OPTIONS)
    with TcpServer(terminal.serve, TcpOptions()) as server:
        links = [connect_tcp("127.0.0.1", server.port) for _ in range(2)]
        with ZvtTill(links[0]) as first, ZvtTill(links[1]) as second:
            first.register(SILENT)
            worker = threading.Thread(target=lambda: first.pay(500))
            worker.start()
            eventually(lambda: ledger.payments)
            assert second.status().completion[-1] == 0x9C
            assert second.pay(600).code == 0xA0
            assert second.read_card().code == 0xA0
            ledger.act()
            worker.join()
        for link in links:
            link.close()
    assert settlements(ledger) == [Settlement.CAPTURED]


@pytest.mark.fault("impossible amounts", "zvt")
@pytest.mark.fault("NaN, digits that are none", "zvt")
@pytest.mark.fault("unknown currency", "zvt")
@pytest.mark.fault("unknown command", "zvt")
@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("06 01 07 04 00 00 00 00 00 00", 0xC8),
        ("06 01 07 04 00 00 00 00 0A 00", 0x9A),
        ("06 01 00", 0x9A),
        ("06 01 03 04 00 00", 0x9A),
        ("06 01 0A 04 00 00 00 00 01 00 49 08 40", 0x6F),
        ("06 01 02 FF 00", 0x9A),
        ("06 00 06 00 00 00 9A 08 40", 0x6F),
        ("06 30 03 00 00 00", 0x9A),
        ("06 31 03 00 00 00", 0x9A),
        ("06 20 03 00 00 00", 0x83),
        ("06 01 0B 04 00 00 00 00 01 00 06 02 1F 1F", 0x9A),
        ("06 E0 00", 0x83),
        ("01 01 00", 0x83),
    ],
)
def test_impossible_orders_are_refused(data: str, code: int) -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        raw = bytes.fromhex(data)
        told = till.send(Apdu(int.from_bytes(raw[:2], "big"), raw[3:]))
    assert (told.accepted, told.code) == (False, code)
    assert not ledger.payments


def test_log_off_gets_only_a_positive_answer() -> None:
    with shop(host()) as (till, _):
        assert till.send(Apdu(Command.LOG_OFF)).accepted
        assert till.send(Apdu(Command.ABORT)).accepted
        assert till.send(Apdu(Command.DIAGNOSIS)).success
        assert till.send(Apdu(Command.INITIALISATION, b"\0\0\0")).success


def test_status_tells_ready_and_out_of_order() -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        assert till.status().completion == b"\x00"
        ledger.terminal = TerminalStatus.OUT_OF_ORDER
        assert till.status().completion == b"\xdf"
        assert till.send(Apdu(Command.DIAGNOSIS)).code == 0xE2
        versioned = till.send(Apdu(Command.STATUS_ENQUIRY, b"\0\0\0\x03\x01"))
    assert versioned.completion == b"\xf0\xf1\xf1facepay 0.1\xdf"


def test_money_goes_back_by_receipt_number() -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        till.register(SILENT)
        receipt = till.pay(500).status.receipt  # type: ignore[union-attr]
        assert till.reverse(receipt, 400).code == 0xB5
        assert till.reverse(receipt).success
        assert till.reverse(receipt).code == 0xB4
        assert till.reverse(9999).code == 0xB5
        second = till.pay(700).status.receipt  # type: ignore[union-attr]
        assert till.refund(200, second).success
        day = till.end_of_day()
        assert day.status is not None
        assert day.status.amount_minor == 500
        assert len(day.status.totals) == 53
        assert till.totals().status.amount_minor == 0  # type: ignore[union-attr]


@pytest.mark.fault("a replayed body", "zvt")
def test_a_lost_acknowledgement_can_be_asked_for_again() -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        till.register(SILENT)
        till.answer = refuse_status(0x83)
        till.pay(500)
        till.answer = agree
        again = till.repeat_receipt()
        assert again.status is not None
        assert again.status.result == 0x6C
        till.pay(700)
        again = till.repeat_receipt(Service.STATUS_AGAIN | Service.NO_PRINT)
    assert again.status is not None
    assert (again.status.result, again.status.amount_minor) == (0, 700)


@pytest.mark.parametrize(
    ("told", "settled"),
    [(1, Settlement.CAPTURED), (9999, Settlement.VOIDED), (77, Settlement.PENDING), (0, Settlement.PENDING)],
    ids=["in step", "one behind", "unrelated", "unknown"],
)
def test_receipt_synchronisation_settles_a_lost_acknowledgement(told: int, settled: Settlement) -> None:
    ledger = host()
    ends: list[MemoryLink] = []
    terminal = ZvtTerminal(TransactionSession(ledger), OPTIONS)

    def connect(answer: Callable[[Apdu], Apdu | None]) -> ZvtTill:
        near, far = memory_cable()
        ends.append(near)
        threading.Thread(target=terminal.serve, args=(far,), daemon=True).start()
        return ZvtTill(near, answer=answer, patience_s=5)

    with connect(silent_on(Command.STATUS_INFORMATION)) as till:
        threading.Timer(0.2, ends[-1].close).start()
        with pytest.raises(LinkClosed):
            till.pay(500, learned_receipt=0)
    assert settlements(ledger) == [Settlement.PENDING]
    with connect(agree) as till:
        second = till.pay(700, learned_receipt=told)
        ends[-1].close()
    assert settlements(ledger) == [settled, Settlement.CAPTURED]
    assert second.status is not None
    assert tlv.find(second.status.container, commands.RECEIPT_SYNC) == b"\x00\x02"


def test_the_pseudonym_is_told_only_when_asked_for() -> None:
    with shop(host()) as (till, _):
        asked = till.read_card(wants_item=True)
        unasked = till.read_card(wants_item=False)
    assert asked.success
    assert unasked.success
    assert asked.status is not None
    assert unasked.status is not None
    assert tlv.find(asked.status.container, commands.CARD_ITEM)
    assert unasked.status.container == ()
