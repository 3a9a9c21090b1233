"""Faults on a Concert line: pauses, cut frames, floods, doubled bytes, an eager till."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pos_adapter.errors import LinkError
from pos_adapter.protocols.concert.frames import ConcertCodec, Control, Frame
from pos_adapter.protocols.concert.line import Timing
from pos_adapter.protocols.concert.messages import Request, Result, encode_request
from pos_adapter.protocols.concert.terminal import ConcertOptions, ConcertTerminal
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.concert_till import ConcertTill
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.simulator.lines import MemoryLink, memory_cable
from pos_adapter.types import Money, Settlement

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
FAST = Timing(acknowledge_s=0.2, message_s=0.4, between_bytes_s=0.1)
REQUEST = Request("01", Money(1240, "EUR"))
FRAME = ConcertCodec().encode(Frame(encode_request(REQUEST)))


@contextmanager
def shop(host: SimulatedHost) -> Iterator[tuple[ConcertTill, MemoryLink]]:
    till_end, terminal_end = memory_cable()
    terminal = ConcertTerminal(TransactionSession(host), ConcertOptions(timing=FAST))

    def serve() -> None:
        with pytest.raises(LinkError):
            terminal.serve(terminal_end)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with ConcertTill(till_end, timing=FAST) as till:
        yield till, till_end
    till_end.close()
    thread.join(5)
    assert not thread.is_alive()


def still_pays(till: ConcertTill) -> None:
    time.sleep(0.6)
    till._line.forget()
    answer = till.ask(REQUEST, patience_s=5)
    assert answer is not None
    assert answer.result is Result.OK


@pytest.mark.fault("a gap longer than between bytes", "concert")
@pytest.mark.fault("silent inside the request", "concert")
def test_a_pause_inside_a_frame_is_answered_nak_and_the_frame_can_come_again() -> None:
    host = SimulatedHost()
    with shop(host) as (till, cable):
        cable.write(b"\x05")
        assert till._line.next(1) is Control.ACK
        cable.write(FRAME[:20])
        assert till._line.next(1) is Control.NAK
        cable.write(FRAME)
        assert till._line.next(1) is Control.ACK
        cable.write(b"\x04")
        answer = till.listen(5)
        assert answer is not None
        assert answer.result is Result.OK
    assert [r.settlement for r in host.payments.values()] == [Settlement.CAPTURED]


@pytest.mark.fault("1 MB, and what never ends", "concert")
@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x05" + FRAME[:20],
        b"\x05\x02" + b"0" * 1_000_000,
        b"\x05" * 50,
        b"\x04\x06\x15\x03" * 20,
        bytes(range(256)),
    ],
    ids=["cut frame", "a megabyte", "enquiries", "stray signals", "every byte"],
)
def test_rubbish_starts_nothing_and_the_next_till_is_served(rubbish: bytes) -> None:
    host = SimulatedHost()
    with shop(host) as (till, cable):
        cable.write(rubbish)
        time.sleep(1.0)
        assert host.payments == {}
        still_pays(till)


@pytest.mark.fault("hangs up inside a message", "concert")
def test_a_till_that_hangs_up_inside_a_frame_leaves_nothing_behind() -> None:
    host = SimulatedHost()
    with shop(host) as (_, cable):
        cable.write(b"\x05" + FRAME[:20])
        cable.close()
    assert host.payments == {}


def test_a_till_that_asks_again_during_its_sale_hears_nothing_and_pays_once() -> None:
    host = SimulatedHost(SimulatorOptions(shopper_s=0.5))
    with shop(host) as (till, _):
        assert till._line.call(encode_request(REQUEST)).value == "acknowledged"
        till._line.send(Control.ENQ)
        assert till._line.next(0.3) is None
        answer = till.listen(5)
        assert answer is not None
        assert answer.result is Result.OK
    assert [r.settlement for r in host.payments.values()] == [Settlement.CAPTURED]


@pytest.mark.fault("a replayed body", "concert")
def test_a_frame_doubled_by_the_line_is_one_sale() -> None:
    host = SimulatedHost()
    with shop(host) as (till, cable):
        cable.write(b"\x05")
        assert till._line.next(1) is Control.ACK
        cable.write(FRAME + FRAME)
        assert till._line.next(1) is Control.ACK
        assert till._line.next(1) is Control.ACK
        cable.write(b"\x04")
        assert till.listen(5) is not None
    assert len(host.payments) == 1


@pytest.mark.fault("one byte at a time", "concert")
def test_one_byte_at_a_time_over_the_line_is_one_sale() -> None:
    host = SimulatedHost()
    with shop(host) as (till, cable):
        cable.write(b"\x05")
        assert till._line.next(1) is Control.ACK
        for byte in FRAME:
            cable.write(bytes([byte]))
        assert till._line.next(1) is Control.ACK
        cable.write(b"\x04")
        answer = till.listen(5)
        assert answer is not None
        assert answer.result is Result.OK
    assert [record.settlement for record in host.payments.values()] == [Settlement.CAPTURED]


def refused(payload: bytes) -> None:
    host = SimulatedHost()
    with shop(host) as (till, cable):
        cable.write(b"\x05")
        assert till._line.next(1) is Control.ACK
        for _ in range(3):
            cable.write(ConcertCodec().encode(Frame(payload)))
            assert till._line.next(1) is Control.NAK
        assert till._line.next(1) is Control.EOT
        assert host.payments == {}
        still_pays(till)


@pytest.mark.fault("unknown currency", "concert")
@pytest.mark.parametrize("code", [b"999", b"756", b"000"])
def test_an_unknown_currency_is_answered_nak_and_sells_nothing(code: bytes) -> None:
    refused(encode_request(REQUEST).replace(b"978", code))


@pytest.mark.fault("unknown command", "concert")
@pytest.mark.parametrize("kind", [b"3", b"9"])
def test_an_unknown_command_is_answered_nak_and_sells_nothing(kind: bytes) -> None:
    payload = encode_request(REQUEST)
    refused(payload[:12] + kind + payload[13:])


@pytest.mark.fault("impossible amounts", "concert")
def test_an_amount_of_zero_is_answered_nak_and_sells_nothing() -> None:
    refused(encode_request(Request("01", Money(0, "EUR"))))
