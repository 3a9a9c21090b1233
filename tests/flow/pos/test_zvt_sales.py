"""ZVT sales over cables in memory: what the till says decides the money."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from facepay.testing.waiting import eventually
from pos_adapter.base import Link
from pos_adapter.errors import LinkClosed
from pos_adapter.protocols.zvt import answers, bmp, tlv
from pos_adapter.protocols.zvt.apdu import Apdu
from pos_adapter.protocols.zvt.bcd import encode_bcd
from pos_adapter.protocols.zvt.commands import Command, Config
from pos_adapter.protocols.zvt.outcomes import OUTCOMES
from pos_adapter.simulator.host import OUTCOME_BY_DIGITS
from pos_adapter.simulator.zvt_till import PRINTING_TILL, agree
from pos_adapter.types import (
    Outcome,
    Settlement,
)
from tests.flow.pos.zvt_shop import (
    CABLES,
    SILENT,
    Spoil,
    host,
    refuse_status,
    settlements,
    shop,
    silent_on,
    wait_for,
)

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")


@CABLES
def test_an_approval_is_captured_once_the_till_acknowledged(
    serial: bool, spoil: Callable[[Link], Link]
) -> None:
    ledger = host()
    with shop(ledger, serial=serial, spoil=spoil) as (till, _):
        registered = till.register()
        assert registered.completion == bytes.fromhex("19 00 29 12 34 56 78 49 09 78")
        paid = till.pay(1099)
    assert paid.success
    assert paid.status is not None
    assert (paid.status.amount_minor, paid.status.currency_number, paid.status.receipt) == (1099, 978, 1)
    assert paid.status.card_name == "FACEPAY"
    assert paid.status.container == ()
    assert paid.printed[:2] == ["FACEPAY", "Payment"]
    assert settlements(ledger) == [Settlement.CAPTURED]


@pytest.mark.parametrize("digits", sorted(OUTCOME_BY_DIGITS))
def test_every_outcome_is_told_as_the_table_says(digits: int) -> None:
    ledger = host(patience_s=0.1)
    with shop(ledger) as (till, _):
        till.register(SILENT)
        told = till.pay(1200 + digits)
    outcome = OUTCOME_BY_DIGITS[digits]
    if digits == 9:
        assert told.success
        assert settlements(ledger) == [Settlement.CAPTURED]
        return
    # The simulated host declines where the till allows no partial approval.
    expected = OUTCOMES[Outcome.DECLINED if outcome is Outcome.PARTIAL else outcome]
    if digits == 8:
        expected = OUTCOMES[Outcome.PROVIDER_UNREACHABLE]
    assert told.code == expected.abort
    assert (told.status.result if told.status else None) == expected.status
    assert settlements(ledger) == [Settlement.NONE]


def test_every_outcome_has_a_row() -> None:
    assert set(OUTCOMES) == set(Outcome)


@pytest.mark.parametrize("code", [0x83, 0xCC, 0xFF])
def test_a_refused_status_voids_the_approval(code: int) -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        till.register(SILENT)
        till.answer = refuse_status(code)
        assert not till.pay(500).success
    assert settlements(ledger) == [Settlement.VOIDED]


def test_84_00_acknowledges_too() -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        till.register(SILENT)
        till.answer = refuse_status(0x00)
        assert till.pay(500).success
    assert settlements(ledger) == [Settlement.CAPTURED]


def test_a_till_that_asks_to_wait_gets_the_status_again() -> None:
    ledger, waits = host(), [2]

    def answer(message: Apdu) -> Apdu:
        if message.command == Command.STATUS_INFORMATION and waits[0]:
            waits[0] -= 1
            return Apdu(Command.WAIT)
        return answers.POSITIVE

    with shop(ledger) as (till, _):
        till.register(SILENT)
        till.answer = answer
        assert till.pay(500).success
    assert settlements(ledger) == [Settlement.CAPTURED]


def test_a_till_that_asks_to_wait_for_ever_pays_nothing() -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        till.register(SILENT)
        till.answer = refuse_status(0x9C)
        assert not till.pay(500, fields={bmp.MAX_STATUS: b"\x02"}).success
    assert settlements(ledger) == [Settlement.VOIDED]


@pytest.mark.parametrize(("delivered", "left"), [(300, 300), (500, 500), (0, 0)])
def test_partial_delivery_takes_only_what_was_delivered(delivered: int, left: int) -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        till.register(SILENT)
        till.answer = refuse_status(0x9D, bmp.encode([(bmp.AMOUNT, encode_bcd(delivered, 6))]))
        assert till.pay(500).success
        till.answer = agree
        totals = till.totals()
    assert totals.status is not None
    assert totals.status.amount_minor == left


@pytest.mark.fault("silent after the answer, before the acknowledgement", "zvt")
@pytest.mark.parametrize("command", [Command.STATUS_INFORMATION, Command.PRINT_LINE])
def test_a_till_silent_before_its_acknowledgement_pays_nothing(command: Command) -> None:
    ledger = host()
    with shop(ledger) as (till, end):
        till.register()
        till.answer = silent_on(command)
        threading.Timer(1.5, end.close).start()
        with pytest.raises(LinkClosed):
            till.pay(500)
    assert settlements(ledger) == [Settlement.VOIDED]


def test_a_till_that_cannot_print_pays_nothing() -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        till.register()
        till.answer = lambda m: (
            answers.negative(0xCC) if m.command == Command.PRINT_LINE else answers.POSITIVE
        )
        assert till.pay(500).code == 0xCC
    assert settlements(ledger) == [Settlement.VOIDED]


@pytest.mark.fault("gone after the request", "zvt")
def test_a_till_that_hangs_up_while_the_shopper_is_looked_at_pays_nothing() -> None:
    ledger = host(shopper_s=5)
    with shop(ledger) as (till, end):
        till.register()
        threading.Timer(0.2, end.close).start()
        with pytest.raises(LinkClosed):
            till.pay(500)
    (record,) = wait_for(lambda: [r for r in ledger.payments.values() if r.response is not None])
    assert record.response is not None
    assert (record.response.outcome, record.settlement) == (Outcome.CASHIER_ABORT, Settlement.NONE)


@CABLES
def test_an_abort_in_the_middle_is_taken_at_once(serial: bool, spoil: Spoil) -> None:
    ledger = host(shopper_s=8)
    with shop(ledger, serial=serial, spoil=spoil) as (till, _):
        till.register(SILENT)

        def press() -> None:
            eventually(lambda: ledger.payments)
            till.abort()

        threading.Thread(target=press).start()
        told = till.pay(500)
    assert told.code == 0x6C
    assert told.status is not None
    assert told.status.result == 0x6C


def test_an_abort_instead_of_the_acknowledgement_voids() -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        till.register(SILENT)
        till.answer = lambda m: (
            Apdu(Command.ABORT) if m.command == Command.STATUS_INFORMATION else answers.POSITIVE
        )
        assert till.pay(500).code == 0x6C
    assert settlements(ledger) == [Settlement.VOIDED]


def test_signs_of_life_come_only_to_a_till_that_wants_them() -> None:
    with shop(host(shopper_s=0.3)) as (till, _):
        till.register(SILENT)
        assert till.pay(500).signs == []
        till.register(SILENT | Config.INTERMEDIATE_STATUS)
        assert len(till.pay(500).signs) >= 3


def test_print_lines_come_only_to_a_till_that_takes_them() -> None:
    block = (tlv.nest(0x26, [tlv.Tlv(0x0A, b"\x06\xd3")]),)
    with shop(host()) as (till, _):
        till.register(PRINTING_TILL & ~Config.PRINT_COMMANDS)
        assert till.pay(500).printed == []
        till.register(PRINTING_TILL & ~Config.PAYMENT_RECEIPT_AT_TILL)
        assert till.pay(500).printed == []
        till.register(PRINTING_TILL, container=block)
        paid = till.pay(500)
    assert paid.printed[0] == "FACEPAY"
    assert paid.status is not None
    assert paid.status.container == ()


def test_a_partial_approval_needs_the_tills_permission() -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        till.register(SILENT)
        assert not till.pay(1011).success
        assert not till.pay(1011, container=(tlv.Tlv(0x1F70, b"\0"),)).success
        paid = till.pay(1011, container=(tlv.Tlv(0x1F70, b"\1"),))
    assert paid.success
    assert paid.status is not None
    assert paid.status.amount_minor == 505
    assert [item.tag for item in paid.status.container] == [0x41, 0x1F10]
