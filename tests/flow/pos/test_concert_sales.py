"""Concert sales over a cable in memory, a bad cable, and a pseudo-terminal pair."""

from __future__ import annotations

import os
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from facepay.testing.waiting import eventually
from pos_adapter.base import Link
from pos_adapter.errors import LinkClosed
from pos_adapter.protocols.concert.frames import ConcertCodec, Control, Frame
from pos_adapter.protocols.concert.line import Timing
from pos_adapter.protocols.concert.messages import Kind, Request, Result, encode_request
from pos_adapter.protocols.concert.terminal import ConcertOptions, ConcertTerminal
from pos_adapter.repetition import Repetition, RepetitionOptions
from pos_adapter.serial_link import SerialLink, SerialOptions, SerialServer
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.concert_till import ConcertTill
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.simulator.lines import FaultyLink, LineFaults, MemoryLink, memory_cable
from pos_adapter.types import Money, Outcome, Settlement, TerminalStatus
from pos_adapter.upstream import Upstream

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
FAST = Timing(acknowledge_s=0.2, message_s=0.4, between_bytes_s=0.1)


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


def host(**options: float) -> SimulatedHost:
    return SimulatedHost(SimulatorOptions(**options))


def settlements(of: SimulatedHost) -> list[Settlement]:
    return [record.settlement for record in of.payments.values()]


@contextmanager
def serving(of: ConcertTerminal, link: Link) -> Iterator[None]:
    def serve() -> None:
        with pytest.raises(LinkClosed):
            of.serve(link)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield
    link.close()
    thread.join(5)
    assert not thread.is_alive()


@contextmanager
def shop(
    of: SimulatedHost,
    *,
    options: ConcertOptions | None = None,
    upstream: Upstream | None = None,
    faults: LineFaults | None = None,
) -> Iterator[tuple[ConcertTill, MemoryLink]]:
    till_end, terminal_end = memory_cable()
    terminal = ConcertTerminal(TransactionSession(of), options or ConcertOptions(timing=FAST), upstream)
    near: Link = FaultyLink(till_end, faults) if faults else till_end
    far: Link = FaultyLink(terminal_end, faults) if faults else terminal_end
    with serving(terminal, far), ConcertTill(near, timing=FAST) as till:
        yield till, till_end


@pytest.mark.parametrize("faults", [None, LineFaults(one_by_one=True)], ids=["glued", "one byte at a time"])
def test_an_approval_is_captured_once_the_till_acknowledged(faults: LineFaults | None) -> None:
    ledger = host()
    with shop(ledger, faults=faults) as (till, _):
        answer = till.ask(Request("01", euros(1240)), patience_s=5)
        assert answer is not None
        assert answer.result is Result.OK
        assert answer.amount == euros(1240)
        assert "FACEPAY ...42" in (answer.report or "")
    assert settlements(ledger) == [Settlement.CAPTURED]


@pytest.mark.parametrize("minor", [1201, 1202, 1203, 1204, 1205, 1207, 1211])
def test_every_refusal_answers_not_done_and_charges_nothing(minor: int) -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        answer = till.ask(Request("01", euros(minor), wants_report=False), patience_s=5)
        assert answer is not None
        assert answer.result is Result.NOT_DONE
        assert answer.report is None
    assert settlements(ledger) == [Settlement.NONE]


def test_an_unknown_result_is_held_until_it_is_known() -> None:
    ledger = host(unknown_s=0.1)
    with shop(ledger) as (till, _):
        approved = till.ask(Request("01", euros(1209)), patience_s=5)
        refused = till.ask(Request("01", euros(1208)), patience_s=5)
    assert approved is not None
    assert approved.result is Result.OK
    assert refused is not None
    assert refused.result is Result.NOT_DONE
    assert settlements(ledger) == [Settlement.CAPTURED, Settlement.NONE]


@pytest.mark.fault("20 % loss and duplicates, fixed seed", "concert")
@pytest.mark.parametrize("seed", [1, 2])
def test_on_a_bad_line_captures_equal_the_approvals_the_till_heard(seed: int) -> None:
    ledger = host()
    heard = 0
    faults = LineFaults(loss=0.2, duplicate=0.05, flip=0.0, seed=seed)
    short = LineFaults(loss=0.01, duplicate=0.01, flip=0.005, seed=seed)
    for line in (faults, short):
        with shop(ledger, faults=line) as (till, _):
            for minor in range(1220, 1223):
                answer = till.ask(Request("01", euros(minor)), patience_s=1.0)
                heard += answer is not None and answer.result is Result.OK
    captured = settlements(ledger).count(Settlement.CAPTURED)
    assert Settlement.PENDING not in settlements(ledger)
    # A till that heard and whose ACK was lost gets its money back by the void: never the reverse.
    assert captured <= heard


@pytest.mark.fault("wrong check sum three times", "concert")
def test_wrong_lrc_three_times_ends_the_exchange_without_a_sale() -> None:
    ledger = host()
    with shop(ledger) as (till, cable):
        assert till.is_there()
        frame = bytearray(ConcertCodec().encode(Frame(encode_request(Request("01", euros(1240))))))
        frame[-1] ^= 1
        cable.write(b"\x05")
        line = till._line
        assert line.next(1) is Control.ACK
        for _ in range(3):
            cable.write(bytes(frame))
            assert line.next(1) is Control.NAK
        assert line.next(1) is Control.EOT
        assert till.is_there()
    assert ledger.payments == {}


@pytest.mark.fault("silent after the answer, before the acknowledgement", "concert")
def test_a_till_that_never_acknowledges_gets_its_money_voided() -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        assert till._line.call(encode_request(Request("01", euros(1240)))).value == "acknowledged"
        eventually(lambda: settlements(ledger) == [Settlement.VOIDED])


def test_a_till_that_hangs_up_before_its_acknowledgement_gets_its_money_voided() -> None:
    ledger = host(shopper_s=0.3)
    with shop(ledger) as (till, cable):
        till._line.call(encode_request(Request("01", euros(1240))))
        cable.close()
        deadline = time.monotonic() + 5
        while not ledger.payments or Settlement.NONE not in settlements(ledger):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.1)
    assert Settlement.CAPTURED not in settlements(ledger)


@pytest.mark.parametrize("status", [TerminalStatus.BUSY, TerminalStatus.OUT_OF_ORDER])
def test_a_busy_or_broken_terminal_leaves_the_enquiry_unanswered(status: TerminalStatus) -> None:
    ledger = host()
    ledger.terminal = status
    with shop(ledger) as (till, _):
        assert not till.is_there()
        assert till.ask(Request("01", euros(1240)), patience_s=1) is None
    assert ledger.payments == {}


@pytest.mark.parametrize(
    "request_",
    [Request("01", euros(0)), Request("01", Money(1240, "CHF"))],
    ids=["zero", "other currency"],
)
def test_an_impossible_request_is_refused_with_nak(request_: Request) -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        assert till.ask(request_, patience_s=1) is None
    assert ledger.payments == {}


def test_immediate_answers_never_say_paid_and_the_host_knows_that_nobody_listens() -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        answer = till.ask(Request("01", euros(1240), at_once=True), patience_s=5)
        assert answer is not None
        assert answer.result is Result.NOT_VERIFIED
        deadline = time.monotonic() + 5
        while settlements(ledger) != [Settlement.CAPTURED]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    (record,) = ledger.payments.values()
    assert record.request.till_listens is False


def test_a_repetition_returns_the_kept_approval_without_a_second_sale() -> None:
    ledger = host()
    kept = RepetitionOptions(Repetition.RETURN, 5.0)
    with shop(ledger, options=ConcertOptions(timing=FAST, repetition=kept)) as (till, _):
        till._line.call(encode_request(Request("01", euros(1240))))
        # ENQ is acknowledged, the answer frame is not: the till crashed in between.
        assert till._line.next(3) is Control.ENQ
        till._line.send(Control.ACK)
        time.sleep(1.2)
        till._line.forget()
        assert settlements(ledger) == [Settlement.PENDING]
        answer = till.ask(Request("01", euros(1240)), patience_s=5)
        assert answer is not None
        assert answer.result is Result.OK
    assert settlements(ledger) == [Settlement.CAPTURED]


def test_a_repetition_is_marked_as_possible_duplicate_where_the_shopper_is_asked() -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        till._line.call(encode_request(Request("01", euros(1240))))
        time.sleep(1.5)
        till._line.forget()
        answer = till.ask(Request("01", euros(1240)), patience_s=5)
        assert answer is not None
    assert [r.request.possible_duplicate for r in ledger.payments.values()] == [False, True]
    assert settlements(ledger) == [Settlement.VOIDED, Settlement.CAPTURED]


def test_cancel_undoes_only_the_last_payment_of_the_same_amount() -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        till.ask(Request("01", euros(1240)), patience_s=5)
        other = till.ask(Request("01", euros(1250), kind=Kind.CANCEL), patience_s=5)
        same = till.ask(Request("01", euros(1240), kind=Kind.CANCEL), patience_s=5)
        again = till.ask(Request("01", euros(1240), kind=Kind.CANCEL), patience_s=5)
    assert [a.result for a in (other, same, again) if a] == [Result.NOT_DONE, Result.OK, Result.NOT_DONE]
    assert settlements(ledger) == [Settlement.VOIDED]


@pytest.mark.parametrize("broken", [False, True], ids=["no match", "everything dead"])
def test_the_card_terminal_answers_in_our_place(broken: bool) -> None:
    """The card terminal is another of ours, so that both sides of the forward are real."""
    face, card = host(), host()
    if broken:
        face.broken = OSError("camera, models and database are gone")
    front, back = memory_cable()
    behind = ConcertTerminal(TransactionSession(card), ConcertOptions(timing=FAST))
    upstream = Upstream(connect=lambda: front, quiet_s=10)
    with serving(behind, back), shop(face, upstream=upstream) as (till, _):
        # 12.01 is refused by the face's host only: the card's host has its own table.
        card_amount = euros(1240) if broken else euros(1201)
        answer = till.ask(Request("01", card_amount), patience_s=8)
        assert answer is not None
        assert answer.result is (Result.OK if broken else Result.NOT_DONE)
    assert Settlement.CAPTURED not in settlements(face)
    assert len(card.payments) == 1


def test_without_the_card_terminal_the_till_hears_not_done() -> None:
    from pos_adapter.errors import LinkUnavailable

    def unplugged() -> Link:
        raise LinkUnavailable("no such port")

    with shop(host(), upstream=Upstream(connect=unplugged)) as (till, _):
        answer = till.ask(Request("01", euros(1201)), patience_s=5)
    assert answer is not None
    assert answer.result is Result.NOT_DONE
    assert "CARD TERMINAL" in (answer.report or "")


def test_a_sale_over_a_pseudo_terminal_survives_a_line_that_goes_and_comes() -> None:
    ledger = host()
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    terminal = ConcertTerminal(TransactionSession(ledger), ConcertOptions(timing=FAST))
    with SerialServer(terminal.serve, SerialOptions(os.ttyname(slave), reopen_after_s=0.05)) as server:
        os.close(slave)
        with ConcertTill(_PtyEnd(master), timing=FAST) as till:
            first = till.ask(Request("01", euros(1240)), patience_s=5)
            assert server._link is not None
            server._link.close()
            time.sleep(0.4)
            second = till.ask(Request("01", euros(1250)), patience_s=5)
    os.close(master)
    assert [a.result for a in (first, second) if a] == [Result.OK, Result.OK]
    assert settlements(ledger) == [Settlement.CAPTURED, Settlement.CAPTURED]


def test_a_port_that_is_not_there_is_named() -> None:
    from pos_adapter.errors import LinkUnavailable

    with pytest.raises(LinkUnavailable, match="/dev/ttyNOWHERE"):
        SerialLink(SerialOptions("/dev/ttyNOWHERE"))


def test_a_partial_approval_is_never_told_as_a_full_one() -> None:
    ledger = host()
    with shop(ledger) as (till, _):
        answer = till.ask(Request("01", euros(1211)), patience_s=5)
    assert answer is not None
    assert answer.result is Result.NOT_DONE
    assert all(r.response and r.response.outcome is not Outcome.PARTIAL for r in ledger.payments.values())


class _PtyEnd:
    """The till's end of a pseudo-terminal pair."""

    peer = "pty"

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, timeout_s: float) -> bytes:
        import select

        ready, _, _ = select.select([self._descriptor], [], [], timeout_s)
        try:
            return os.read(self._descriptor, 4096) if ready else b""
        except OSError:
            time.sleep(0.01)  # The other end is closed for the moment.
            return b""

    def write(self, data: bytes) -> None:
        os.write(self._descriptor, data)

    def close(self) -> None:
        os.close(self._descriptor)
