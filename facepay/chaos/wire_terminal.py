"""A process that serves one wire until it is killed at its kill point."""

from __future__ import annotations

import logging
import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path

from facepay.chaos.faceless import FacelessHost
from facepay.chaos.faults import KillPoint, Plug, kill
from facepay.chaos.shop import Books
from facepay.journal import Journal
from facepay.journal.history import History
from facepay.psp.base import IdempotencyKey, PayerToken
from facepay.psp.ledger import LedgerProvider, Wallet
from facepay.settings import Settings, settings_from
from facepay.settlement import Patience, Settlement
from facepay.terminal.wires import open_wires
from pos_adapter.types import Money

PAYER = PayerToken("wire-payer")
FUNDS = Money(10**9, "EUR")
TILL_KEY = "the-till-that-outlives-terminals"
CHAIN = "chaos"


def open_account(books: Books) -> None:
    """Give the payer money; safe to repeat."""
    wallet = Wallet(books.provider.engine, now_ms=now_ms)
    wallet.open_account(PAYER, FUNDS.currency)
    wallet.top_up(PAYER, FUNDS, IdempotencyKey("wire-top-up"))


def now_ms() -> int:
    """UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def settings_for(folder: Path, wire: str, port: int) -> Settings:
    """One wire on one port; serial wires over TCP, nexo in clear."""
    key = folder / "till-key"
    key.write_text(TILL_KEY, "ascii")
    pos: dict[str, object] = {"wires": [wire]}
    if wire == "rest":
        pos.update(rest_port=port, rest_token=f"file:{key}")
    elif wire == "zvt":
        pos["tcp_port"] = port
    else:
        pos["options"] = {wire: {"port": port, **({"clear_allowed": True} if wire == "nexo" else {})}}
    return settings_from({"pos": pos})


def serve_until_killed(
    folder: Path, wire: str, port: int, point: KillPoint | None, signals: tuple[Event, Event]
) -> None:
    """Start as a terminal does: settle what an earlier process left open, then listen.

    Args:
        signals: "ready" is set here; "silence" is waited for, as a terminal waits for its clock, before what
            no till asked about is captured.
    """
    ready, silence = signals
    logging.disable(logging.CRITICAL)
    books, plug = Books(folder), Plug(kill)
    journal = Journal(books.terminal.engine, chain=CHAIN, now_ms=now_ms, observer=plug)
    provider = LedgerProvider(books.provider.engine, now_ms=now_ms)
    settlement = Settlement(journal, provider, provider, wait=time.sleep, patience=Patience(tries=3))
    left = settlement.settle_open()
    plug.point = point
    host = FacelessHost(journal, settlement, History(books.terminal.engine, CHAIN), PAYER)
    with open_wires(settings_for(folder, wire, port), host):
        ready.set()
        silence.wait()
        settlement.take_silence(left.telling)
        threading.Event().wait()
