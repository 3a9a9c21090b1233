"""Caisse-AP over real sockets: the captured request, every outcome, hang-ups, and the card terminal."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from facepay.testing.waiting import eventually
from pos_adapter.protocols.caisse_ap.frames import CaisseCodec, Damage, Tag
from pos_adapter.protocols.caisse_ap.messages import Action, Request
from pos_adapter.protocols.caisse_ap.terminal import CaisseOptions, CaisseTerminal
from pos_adapter.repetition import Repetition, RepetitionOptions
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.caisse_till import ask
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.tcp_link import TcpOptions, TcpServer, connect_tcp
from pos_adapter.types import Money, Settlement
from pos_adapter.upstream import ForwardState, Upstream

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
CAPTURED = b"CZ0040300CJ012012345678901CA00201CE003978CD0010CB0041234"


@contextmanager
def serve(
    host: SimulatedHost, upstream: Upstream | None = None, **options: object
) -> Iterator[Callable[[], socket.socket]]:
    settings = CaisseOptions(farewell_s=1.0, request_s=1.0, **options)  # type: ignore[arg-type]
    terminal = CaisseTerminal(TransactionSession(host), settings, upstream)
    with TcpServer(terminal.serve, TcpOptions()) as server:
        yield lambda: socket.create_connection(("127.0.0.1", server.port), 5)


def settled(host: SimulatedHost) -> list[Settlement]:
    eventually(
        lambda: all(
            record.response is not None and record.settlement is not Settlement.PENDING
            for record in list(host.payments.values())
        )
    )
    return [record.settlement for record in host.payments.values()]


def read_all(connection: socket.socket) -> bytes:
    data = b""
    while piece := connection.recv(1024):
        data += piece
    return data


def tags_of(data: bytes) -> dict[str, str]:
    events = CaisseCodec().feed(data)
    assert all(isinstance(event, Tag) for event in events)
    return {event.name: event.value for event in events if isinstance(event, Tag)}


def captured_for(minor: int) -> bytes:
    return CAPTURED[:-4] + f"{minor:04d}".encode()


@pytest.mark.fault("one byte at a time", "caisse_ap")
@pytest.mark.parametrize("one_by_one", [False, True], ids=["glued", "one byte at a time"])
def test_the_captured_request_is_approved_and_captured(one_by_one: bool) -> None:
    host = SimulatedHost()
    with serve(host) as connect, connect() as till:
        if one_by_one:
            till.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in CAPTURED:
                till.send(bytes([byte]))
        else:
            till.sendall(CAPTURED)
        first = till.recv(1024)
        tags = tags_of(first)
        till.close()
        assert (tags["AE"], tags["CB"], tags["CA"], tags["CI"]) == ("10", "1234", "01", "4")
        assert tags["AA"] == "FACE##########0042"
        assert "AF" not in tags
        assert settled(host) == [Settlement.CAPTURED]


@pytest.mark.parametrize(
    ("minor", "reason"),
    [(1201, "04"), (1202, "04"), (1203, "06"), (1204, "08"), (1205, "04"), (1206, "07"), (1211, "04")],
)
def test_a_refusal_names_its_reason(minor: int, reason: str) -> None:
    host = SimulatedHost()
    with serve(host) as connect, connect() as till:
        till.sendall(captured_for(minor))
        tags = tags_of(till.recv(1024))
    assert (tags["AE"], tags["AF"]) == ("01", reason)
    assert settled(host) == [Settlement.NONE]


BAD: dict[str, tuple[bytes, str]] = {
    "no TLV": (b"GET / HTTP/1.1\r\n\r\n", "09"),
    "wrong version": (CAPTURED.replace(b"0300", b"0200"), "09"),
    "not first": (CAPTURED[11:] + CAPTURED[:11], "09"),
    "negative": (CAPTURED.replace(b"CB0041234", b"CB004-123"), "09"),
    "zero": (CAPTURED.replace(b"CB0041234", b"CB0040000"), "05"),
    "unknown action": (CAPTURED.replace(b"CD0010", b"CD0017"), "12"),
    "unknown currency": (CAPTURED.replace(b"978", b"000"), "13"),
    "other currency": (CAPTURED.replace(b"978", b"756"), "13"),
    "twice": (CAPTURED[:-9] + b"CA00201" + CAPTURED[-9:], "09"),
    "a megabyte": (b"CZ0040300" + b"AB999" + b"x" * 1_000_000, "09"),
    "13 digits": (CAPTURED.replace(b"CB0041234", b"CB0131234567890123"), "09"),
}


@pytest.mark.fault("1 MB, and what never ends", "caisse_ap")
@pytest.mark.fault("impossible amounts", "caisse_ap")
@pytest.mark.fault("NaN, digits that are none", "caisse_ap")
@pytest.mark.fault("unknown currency", "caisse_ap")
@pytest.mark.fault("unknown command", "caisse_ap")
@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_is_answered_by_name_and_starts_nothing(name: str) -> None:
    data, reason = BAD[name]
    host = SimulatedHost()
    with serve(host) as connect, connect() as till:
        try:
            till.sendall(data)
            tags = tags_of(till.recv(1024))
        except ConnectionError:
            assert len(data) > 768
        else:
            assert (tags["AE"], tags["AF"]) == ("01", reason)
    assert host.payments == {}


@pytest.mark.fault("silent inside the request", "caisse_ap")
@pytest.mark.fault("hangs up inside a message", "caisse_ap")
def test_a_silent_or_cut_off_till_is_dropped_without_an_answer() -> None:
    host = SimulatedHost()
    with serve(host) as connect:
        with connect() as silent:
            assert read_all(silent) == b""
        with connect() as cut:
            cut.sendall(CAPTURED[:20])
            cut.shutdown(socket.SHUT_WR)
            assert read_all(cut) == b""
    assert host.payments == {}


@pytest.mark.fault("gone after the request", "caisse_ap")
def test_hanging_up_before_the_answer_cancels() -> None:
    host = SimulatedHost()
    with serve(host) as connect:
        with connect() as till:
            till.sendall(captured_for(1210))
            eventually(lambda: host.payments)
        assert settled(host) == [Settlement.NONE]


@pytest.mark.fault("silent after the answer, before the acknowledgement", "caisse_ap")
@pytest.mark.parametrize("how", ["reset", "stays"])
def test_a_till_that_did_not_end_in_order_gets_its_money_voided(how: str) -> None:
    host = SimulatedHost()
    with serve(host) as connect:
        till = connect()
        till.sendall(CAPTURED)
        till.recv(1024)
        if how == "reset":
            till.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            till.close()
        assert settled(host) == [Settlement.VOIDED]
        till.close()


@pytest.mark.fault("a second client while busy", "caisse_ap")
def test_a_second_till_hears_not_done_while_the_first_is_served() -> None:
    host = SimulatedHost(SimulatorOptions(shopper_s=60))
    with serve(host) as connect, connect() as first, connect() as second:
        first.sendall(CAPTURED)
        eventually(lambda: host.payments)
        second.sendall(CAPTURED)
        assert tags_of(second.recv(1024))["AF"] == "07"
        host.act()
        assert tags_of(first.recv(1024))["AE"] == "10"


def test_an_unknown_result_that_stays_unknown_closes_without_an_answer() -> None:
    from pos_adapter.sale import SessionOptions

    host = SimulatedHost(SimulatorOptions(unknown_s=60))
    options = SessionOptions(hold_unknown_s=0.2, look_up_every_s=0.05)
    terminal = CaisseTerminal(TransactionSession(host, options=options))
    with (
        TcpServer(terminal.serve, TcpOptions()) as server,
        socket.create_connection(("127.0.0.1", server.port), 5) as till,
    ):
        till.sendall(captured_for(1208))
        assert read_all(till) == b""


def test_an_immediate_answer_says_taken_into_account() -> None:
    host = SimulatedHost()
    request = CAPTURED.replace(b"CD0010", b"BA0011CD0010")
    with serve(host) as connect, connect() as till:
        till.sendall(request)
        assert tags_of(till.recv(1024))["AE"] == "11"
        eventually(lambda: host.payments)
        assert settled(host) == [Settlement.CAPTURED]
    (record,) = host.payments.values()
    assert not record.request.till_listens


@pytest.mark.fault("a replayed body", "caisse_ap")
def test_a_repetition_returns_the_kept_approval() -> None:
    host = SimulatedHost()
    kept = RepetitionOptions(Repetition.RETURN, 5.0)
    with serve(host, repetition=kept) as connect:
        lost = connect()
        lost.sendall(CAPTURED)
        lost.recv(1024)
        lost.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        lost.close()
        time.sleep(0.2)
        with connect() as till:
            till.sendall(CAPTURED)
            assert tags_of(till.recv(1024))["AE"] == "10"
        assert settled(host) == [Settlement.CAPTURED]


class Notes:
    def __init__(self) -> None:
        self.states: list[ForwardState] = []

    def forwarded(self, key: str, state: ForwardState, detail: str) -> None:
        self.states.append(state)
        raise OSError("this journal is broken, and the card still works")


@pytest.mark.parametrize("dead", [False, True], ids=["no match", "everything dead"])
def test_the_request_reaches_the_card_terminal_byte_for_byte(dead: bool) -> None:
    face, notes = SimulatedHost(), Notes()
    if dead:
        face.broken = OSError("camera, models and database are gone")
    with socket.create_server(("127.0.0.1", 0)) as card:
        port = card.getsockname()[1]
        upstream = Upstream(lambda: connect_tcp("127.0.0.1", port), journal=notes)
        with serve(face, upstream) as connect, connect() as till:
            request = captured_for(1201)
            till.sendall(request)
            theirs, _ = card.accept()
            assert theirs.recv(1024) == request
            theirs.sendall(request + b"AE00210")
            assert till.recv(1024) == request + b"AE00210"
            till.sendall(b"later bytes")
            assert theirs.recv(1024) == b"later bytes"
            theirs.close()
            assert till.recv(1024) == b""
            time.sleep(0.1)
    assert notes.states == [ForwardState.STARTED, ForwardState.ANSWERED]
    assert all(r.settlement is Settlement.NONE for r in face.payments.values())


def test_without_a_reachable_card_terminal_the_till_hears_the_refusal() -> None:
    upstream = Upstream(lambda: connect_tcp("127.0.0.1", 1, timeout_s=0.5))
    with serve(SimulatedHost(), upstream) as connect, connect() as till:
        till.sendall(captured_for(1201))
        assert tags_of(till.recv(1024))["AF"] == "04"


def test_the_till_simulator_pays() -> None:
    host = SimulatedHost()
    with serve(host) as connect:
        with connect() as probe:
            port = probe.getpeername()[1]
        answer = ask(
            connect_tcp("127.0.0.1", port), Request("01", Money(1240, "EUR"), Action.DEBIT), patience_s=5
        )
        assert answer is not None
        assert answer["AE"] == "10"
        assert settled(host) == [Settlement.CAPTURED]


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1000])
def test_damage_is_found_at_the_same_byte_for_any_chunk_size(size: int) -> None:
    stream = CAPTURED + b"ZZ003ab\xffCZ0040300"
    codec = CaisseCodec()
    events = [e for i in range(0, len(stream), size) for e in codec.feed(stream[i : i + size])]
    assert [e.name for e in events if isinstance(e, Tag)] == ["CZ", "CJ", "CA", "CE", "CD", "CB"]
    assert isinstance(events[-1], Damage)
    assert codec.finish() == []
