"""Kills a terminal at every state of its journal while a till pays over a real wire, and counts the cents.

A till that was cut off asks again when the terminal is back, in its wire's way; one that has its answer does
not. So captures equal what the till handed over, wherever the terminal died (ADR 0230).
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.synchronize import Event
from pathlib import Path

from facepay.chaos.faults import KillPoint
from facepay.chaos.shop import Books
from facepay.chaos.verdict import ALL_TIME
from facepay.chaos.wire_terminal import CHAIN, TILL_KEY, now_ms, open_account, serve_until_killed
from facepay.chaos.wire_tills import HOST, TILLS
from facepay.errors import Fault
from facepay.journal import Journal, State
from facepay.journal.states import OPEN
from facepay.psp.base import BookedKind
from facepay.psp.ledger import LedgerProvider
from pos_adapter.errors import PosError
from pos_adapter.types import Money

_SOLD = (
    State.NEW,
    State.AUTHORISING,
    State.AUTHORISED,
    State.ANNOUNCED,
    State.TELLING,
    State.CONFIRMED,
    State.CAPTURED,
)
_LEFT = (State.VOIDING, State.VOIDED)
_WHEN = ("before", "after")
SAYS_BACK = frozenset({"rest", "zvt"})
"""Wires whose till says that it heard: nothing is TELLING there."""
_START_S = 60.0


def kill_points(wire: str) -> tuple[KillPoint, ...]:
    """Before and after the commit of every state that a sale over this wire passes."""
    states = (state for state in (*_SOLD, *_LEFT) if state is not State.TELLING or wire not in SAYS_BACK)
    return tuple(KillPoint(when, state) for state in states for when in _WHEN)


@dataclass(frozen=True, slots=True)
class WireVerdict:
    """What one wire's till handed over and what the provider captured; minor units."""

    wire: str
    kills: int
    handed_over: tuple[int, ...]
    captured: tuple[int, ...]

    @property
    def proven(self) -> bool:
        """Captures equal the approvals the till took, without exception."""
        return sorted(self.captured) == sorted(self.handed_over)


def kill_on_wire(
    folder: Path,
    wire: str,
    points: tuple[KillPoint, ...],
    told: Callable[[int], object] = int,
) -> WireVerdict:
    """Kill once at each point, on databases of its own in an empty folder.

    Raises:
        Fault: the terminal's process does not start, or is not killed where it should be.
    """
    books = Books(folder)
    try:
        open_account(books)
        terminals = _Terminals(folder, wire)
        till = TILLS[wire](terminals.port, TILL_KEY)
        for number, point in enumerate(points):
            leaves = point.state in _LEFT
            # A lingering amount ends in 77: the till leaves between the approval and its answer.
            amount = Money(1_000 + 100 * number + (77 if leaves else 40), "EUR")
            with terminals.armed(point), contextlib.suppress(PosError):
                till.pay(amount, leave=leaves)
            with terminals.calm() as silence:
                till.recover()
                silence.set()
                _await_settled(books)
            told(1)
        return WireVerdict(wire, len(points), tuple(till.paid), _captured(books))
    finally:
        books.close()


def _await_settled(books: Books) -> None:
    """A terminal that lives captures right after its till learned; it is not to be killed meanwhile.

    Raises:
        Fault: it does not.
    """
    journal = Journal(books.terminal.engine, chain=CHAIN, now_ms=now_ms)
    deadline = time.monotonic() + _START_S
    while journal.open_entries(OPEN):
        if time.monotonic() > deadline:
            raise Fault("a terminal that was left alone did not settle a payment")
        time.sleep(0.02)


def _captured(books: Books) -> tuple[int, ...]:
    booked = LedgerProvider(books.provider.engine, now_ms=now_ms).booked(ALL_TIME.since, ALL_TIME.until)
    return tuple(entry.amount.minor for entry in booked if entry.kind is BookedKind.CAPTURE)


class _Terminals:
    """One process after another on the same port and databases."""

    def __init__(self, folder: Path, wire: str) -> None:
        self._folder = folder
        self._wire = wire
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["facepay.chaos.wire_terminal"])
        with socket.create_server((HOST, 0)) as probe:
            self.port = int(probe.getsockname()[1])

    @contextlib.contextmanager
    def armed(self, point: KillPoint) -> Iterator[None]:
        """A terminal that will be killed; raises Fault when it is not."""
        process = self._start(point)
        yield
        process.join(_START_S)
        code = process.exitcode
        self._kill(process)
        if code != -signal.SIGKILL:
            raise Fault(f"{self._wire}: the terminal was not killed at {point} but ended with {code}")

    @contextlib.contextmanager
    def calm(self) -> Iterator[Event]:
        """A terminal that lives; set the event when tills that were cut off have asked."""
        silence = self._context.Event()
        process = self._start(None, silence)
        try:
            yield silence
        finally:
            self._kill(process)

    def _start(self, point: KillPoint | None, silence: Event | None = None) -> ForkServerProcess:
        ready = self._context.Event()
        silence = silence or self._context.Event()
        arguments = (self._folder, self._wire, self.port, point, (ready, silence))
        process = self._context.Process(target=serve_until_killed, args=arguments, daemon=True)
        process.start()
        if not ready.wait(_START_S):
            self._kill(process)
            raise Fault(f"{self._wire}: the terminal's process does not start")
        return process

    def _kill(self, process: ForkServerProcess) -> None:
        with contextlib.suppress(ProcessLookupError):
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, signal.SIGKILL)
        process.join()
