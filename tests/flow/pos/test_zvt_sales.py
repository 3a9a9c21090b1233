"""ZVT sales over cables in memory, bad lines and real sockets: what the till says decides the money."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from facepay.testing.waiting import eventually
from pos_adapter.base import Link
from pos_adapter.errors import LinkClosed, LinkTimeout
from pos_adapter.protocols.zvt import answers, bmp, commands, serial_frame, tlv
from pos_adapter.protocols.zvt.apdu import Apdu
from pos_adapter.protocols.zvt.bcd import encode_bcd
from pos_adapter.protocols.zvt.channel import SerialTimes
from pos_adapter.protocols.zvt.commands import Command, Config, Service
from pos_adapter.protocols.zvt.options import ZvtOptions, ZvtTimes
from pos_adapter.protocols.zvt.outcomes import OUTCOMES
from pos_adapter.protocols.zvt.session import ZvtTerminal
from pos_adapter.sale import SessionOptions
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import OUTCOME_BY_DIGITS, SimulatedHost, SimulatorOptions
from pos_adapter.simulator.lines import FaultyLink, LineFaults, MemoryLink, memory_cable
from pos_adapter.simulator.zvt_till import PRINTING_TILL, ZvtTill, agree
from pos_adapter.tcp_link import TcpOptions, TcpServer, connect_tcp
from pos_adapter.types import (
    AdjustmentResponse,
    Outcome,
    PaymentRecord,
    RefundRequest,
    Settlement,
    TerminalStatus,
    Totals,
)
from pos_adapter.upstream import Upstream

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
SERIAL = SerialTimes(t1_s=0.1, t2_s=0.3, repeats=2)
FAST = ZvtTimes(
    t3_s=0.5,
    acknowledgement_s=0.5,
    keep_alive_s=0.05,
    repeat_status_s=0.02,
    repeat_status_at_most=3,
    serial=SERIAL,
)
OPTIONS = ZvtOptions(terminal_id=12345678, times=FAST, language="en")
SILENT = Config.TILL_CONTROLS_PAYMENT


Answer = Callable[[Apdu], Apdu | None]
Spoil = Callable[[Link], Link]


def host(**options: float) -> SimulatedHost:
    return SimulatedHost(SimulatorOptions(**options))


def settlements(of: SimulatedHost) -> list[Settlement]:
    return [record.settlement for record in of.payments.values()]


def wait_for(found: Callable[[], list[PaymentRecord]]) -> list[PaymentRecord]:
    deadline = time.monotonic() + 5
    while not (records := found()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return records


@contextmanager
def shop(
    of: SimulatedHost,
    *,
    serial: bool = False,
    spoil: Callable[[Link], Link] = lambda link: link,
    upstream: Upstream | None = None,
    options: ZvtOptions = OPTIONS,
    patience_s: float = 10,
) -> Iterator[tuple[ZvtTill, MemoryLink]]:
    till_end, terminal_end = memory_cable()
    session = TransactionSession(of, options=SessionOptions(hold_unknown_s=1, look_up_every_s=0.02))
    terminal = ZvtTerminal(session, options, upstream)
    serve = terminal.serve_serial if serial else terminal.serve
    thread = threading.Thread(target=serve, args=(spoil(terminal_end),), daemon=True)
    thread.start()
    with ZvtTill(spoil(till_end), serial=serial, times=SERIAL, patience_s=patience_s) as till:
        yield till, till_end
        till_end.close()
    thread.join(10)
    assert not thread.is_alive()


CABLES = pytest.mark.parametrize(
    ("serial", "spoil"),
    [
        (False, lambda link: link),
        (False, lambda link: FaultyLink(link, LineFaults(one_by_one=True))),
        (True, lambda link: link),
        (True, lambda link: FaultyLink(link, LineFaults(one_by_one=True))),
    ],
    ids=["tcp", "tcp, one byte at a time", "serial", "serial, one byte at a time"],
)


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


def refuse_status(code: int, data: bytes = b"") -> Callable[[Apdu], Apdu | None]:
    def answer(message: Apdu) -> Apdu | None:
        return (
            Apdu(0x8400 | code, data) if message.command == Command.STATUS_INFORMATION else answers.POSITIVE
        )

    return answer


def silent_on(command: Command) -> Callable[[Apdu], Apdu | None]:
    return lambda message: None if message.command == command else answers.POSITIVE


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


class Lossy:
    """A line that loses or doubles whole writes, by chance and a seed."""

    def __init__(self, link: Link, seed: int) -> None:
        self._link = link
        self._random = random.Random(seed)
        self.peer = link.peer
        self.read = link.read
        self.close = link.close

    def write(self, data: bytes) -> None:
        if self._random.random() >= 0.2:
            self._link.write(data)
            if self._random.random() < 0.2:
                self._link.write(data)


@pytest.mark.fault("20 % loss and duplicates, fixed seed", "zvt")
@pytest.mark.parametrize("seed", range(3))
def test_on_a_bad_serial_line_captures_equal_what_the_till_believes(seed: int) -> None:
    ledger, believed = host(), []
    with shop(ledger, serial=True, spoil=lambda link: Lossy(link, seed), patience_s=2) as (till, _):
        for amount in range(50_000, 50_600, 100):
            with suppress(LinkTimeout):
                if till.pay(amount).success:
                    believed.append(amount)
    captured = [
        r.request.amount.minor for r in ledger.payments.values() if r.settlement is Settlement.CAPTURED
    ]
    assert set(believed) <= set(captured)
    assert Settlement.PENDING not in settlements(ledger)
    assert len(captured) >= 2


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


REGISTER = bytes.fromhex("06 00 06 00 00 00 10 09 78")


def heard(end: MemoryLink, within_s: float = 2.0) -> bytes:
    """Everything the terminal says until it pauses."""
    data, deadline = b"", time.monotonic() + within_s
    while time.monotonic() < deadline:
        piece = end.read(0.15)
        if data and not piece:
            break
        data += piece
    return data


@contextmanager
def raw_line(of: SimulatedHost, *, serial: bool) -> Iterator[MemoryLink]:
    till_end, terminal_end = memory_cable()
    terminal = ZvtTerminal(TransactionSession(of), OPTIONS)
    serve = terminal.serve_serial if serial else terminal.serve
    thread = threading.Thread(target=serve, args=(terminal_end,), daemon=True)
    thread.start()
    yield till_end
    with suppress(LinkClosed):
        till_end.close()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.fault("wrong check sum three times", "zvt")
def test_a_wrong_crc_three_times_is_refused_each_time_and_then_forgotten() -> None:
    good = serial_frame.encode(REGISTER)
    with raw_line(host(), serial=True) as line:
        for _ in range(3):
            line.write(good[:-1] + bytes([good[-1] ^ 1]))
            assert heard(line, 1) == b"\x15"
        line.write(good)
        assert heard(line, 1).startswith(b"\x06\x10\x02\x80\x00\x00\x10\x03")


@pytest.mark.fault("a gap longer than between bytes", "zvt")
def test_a_gap_longer_than_between_bytes_spoils_a_serial_block() -> None:
    good = serial_frame.encode(REGISTER)
    with raw_line(host(), serial=True) as line:
        line.write(good[:6])
        assert heard(line, 1) == b"\x15"
        line.write(good)
        assert heard(line, 1).startswith(b"\x06\x10\x02\x80\x00\x00\x10\x03")


@pytest.mark.fault("silent inside the request", "zvt")
@pytest.mark.fault("1 MB, and what never ends", "zvt")
@pytest.mark.parametrize(
    "data",
    [REGISTER[:5], b"\x06\xd3\xff\xff\xff" + b"x" * 1_000_000],
    ids=["half a message", "1 MB without an end"],
)
def test_what_never_ends_on_tcp_is_refused_and_the_connection_ends(data: bytes) -> None:
    ledger = host()
    with raw_line(ledger, serial=False) as line:
        line.write(data)
        assert heard(line, 3) == bytes.fromhex("84 9A 00")
    assert not ledger.payments


@pytest.mark.fault("hangs up inside a message", "zvt")
@pytest.mark.parametrize("sent", [1, 2, 5, len(REGISTER) - 1])
def test_a_till_that_hangs_up_inside_a_message_leaves_the_terminal_ready(sent: int) -> None:
    ledger = host()
    with TcpServer(ZvtTerminal(TransactionSession(ledger), OPTIONS).serve, TcpOptions()) as server:
        cut_off = connect_tcp("127.0.0.1", server.port)
        cut_off.write(REGISTER[:sent])
        cut_off.close()
        link = connect_tcp("127.0.0.1", server.port)
        with ZvtTill(link) as till:
            till.register(SILENT)
            assert till.pay(500).success
        link.close()
    assert settlements(ledger) == [Settlement.CAPTURED]


@pytest.mark.fault("everything glued", "zvt")
def test_orders_glued_together_are_taken_one_after_the_other() -> None:
    with raw_line(host(), serial=False) as line:
        line.write(bytes.fromhex("06 02 00") * 3 + bytes.fromhex("06 E0 00"))
        assert heard(line, 1) == bytes.fromhex("80 00 00") * 3 + bytes.fromhex("84 83 00")


def test_an_abort_from_a_second_connection_ends_the_running_sale() -> None:
    ledger = host(shopper_s=8)
    terminal = ZvtTerminal(TransactionSession(ledger), OPTIONS)
    with TcpServer(terminal.serve, TcpOptions()) as server:
        links = [connect_tcp("127.0.0.1", server.port) for _ in range(2)]
        with ZvtTill(links[0]) as first, ZvtTill(links[1]) as second:
            first.register(SILENT)
            told: list[int] = []
            worker = threading.Thread(target=lambda: told.append(first.pay(500).code))
            worker.start()
            eventually(lambda: ledger.payments)
            assert second.send(Apdu(Command.ABORT)).accepted
            worker.join(5)
        for link in links:
            link.close()
    assert told == [0x6C]
