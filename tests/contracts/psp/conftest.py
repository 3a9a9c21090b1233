"""Starts the Stripe emulator once, in an environment of its own: a test tool that is never shipped."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe
from sqlalchemy import Engine

from facepay.db.base import Base
from facepay.db.engine import open_engine
from facepay.psp.base import PspError
from facepay.psp.order_book import OrderBook
from facepay.psp.stripe import CardEntry, CardsOnFile, StripeAccount, StripeProvider, open_client
from facepay.testing.stripe_proxy import StripeProxy

LOCALSTRIPE = "localstripe==1.15.10"
DONE = "https://pay.shop.example/account/card/done"
GOOD, REFUSED_LATER, STEP_UP = "4242424242424242", "4000000000000341", "4000002500003155"


def cached_environment() -> Path:
    root = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "facepay-tests"
    folder = root / f"{LOCALSTRIPE.replace('==', '-')}-py{sys.version_info.major}{sys.version_info.minor}"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", LOCALSTRIPE], check=True)
        (folder / "ready").touch()
    return folder


@pytest.fixture(scope="session")
def emulator() -> Iterator[tuple[str, int]]:
    folder = cached_environment()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [str(folder / "bin" / "localstripe"), "--port", str(port), "--from-scratch"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield "127.0.0.1", port
    finally:
        process.terminate()
        process.wait(timeout=10)


class Line:
    """The way to the emulator, with answers lost on demand."""

    def __init__(self, engine: Engine, proxy: StripeProxy, fates: list[tuple[str, str]]) -> None:
        self.fates = fates
        self.client = open_client(StripeAccount("sk_test_12345", address=proxy.address, timeout_s=10))
        self.book = OrderBook(engine, "stripe", now_ms=lambda: time.time_ns() // 1_000_000)
        self.provider = StripeProvider(self.client, self.book)
        self.cards = CardsOnFile(self.client)

    def card(self, number: str) -> str:
        """A card on file: begun here, entered on Stripe's page, finished here."""
        entry = self.cards.begin(f"account-{uuid.uuid4().hex}", DONE)
        payer = self.enter(entry, number)
        try:
            return self.cards.finish(entry.session)
        except PspError:
            return payer

    def enter(self, entry: CardEntry, number: str) -> str:
        """What Stripe's own page does: enter a card for the session's setup intent."""
        session = self.client.v1.checkout.sessions.retrieve(entry.session)
        card = {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
        method = self.client.v1.payment_methods.create({"type": "card", "card": card})
        with contextlib.suppress(stripe.StripeError):
            self.client.v1.setup_intents.confirm(session.setup_intent.id, {"payment_method": method.id})
        with contextlib.suppress(stripe.StripeError):
            self.client.v1.payment_methods.attach(method.id, {"customer": session.customer})
        return f"{session.customer}/{method.id}"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'money.db'}")
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def line(emulator: tuple[str, int], engine: Engine) -> Iterator[Line]:
    fates: list[tuple[str, str]] = []

    def lose(method: str, path: str) -> str:
        if fates and method == "POST" and path.endswith(fates[0][0]):
            return fates.pop(0)[1]
        return ""

    with StripeProxy(emulator, lose) as proxy:
        yield Line(engine, proxy, fates)
