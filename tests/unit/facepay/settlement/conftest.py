from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from facepay.db.base import Base
from facepay.db.engine import open_engine
from facepay.journal import Journal, Opening, State
from facepay.psp.base import Authorisation, IdempotencyKey, PayerToken
from facepay.psp.ledger import LedgerProvider, Wallet
from facepay.settlement import Patience, Settlement
from facepay.testing.faulty_provider import FaultyProvider, Mishap
from pos_adapter.types import Money, TransactionId


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'money.db'}", busy_timeout_ms=200)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


NOON = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp() * 1000)
ANNA = PayerToken("wallet-anna")


class Shop:
    """A terminal's money side over a wallet, with a network that fails as told."""

    def __init__(self, engine: Engine) -> None:
        self.now_ms = NOON
        self.engine = engine
        self.mishaps: list[Mishap] = []
        self.calls: list[str] = []
        self.wallet = Wallet(engine, now_ms=self.clock)
        self.wallet.open_account(ANNA, "EUR")
        self.wallet.top_up(ANNA, Money(100_000, "EUR"), IdempotencyKey("top-up-1"))
        self.ledger = LedgerProvider(engine, now_ms=self.clock)
        self.provider = FaultyProvider(self.ledger, self.mishap)
        self.restart()

    def restart(self) -> None:
        self.journal = Journal(self.engine, chain="T1", now_ms=self.clock)
        patience = Patience(tries=3)
        self.settlement = Settlement(
            self.journal, self.provider, self.provider, wait=lambda _: None, patience=patience
        )

    def clock(self) -> int:
        return self.now_ms

    def mishap(self, name: str) -> Mishap:
        self.calls.append(name)
        return self.mishaps.pop(0) if self.mishaps else Mishap.NONE

    def identified(self, name: str, minor: int = 1240) -> TransactionId:
        payment = TransactionId(name)
        amount = Money(minor, "EUR")
        self.journal.begin(Opening(payment, f"rest/T1/till/{name}", f"{minor}", amount))
        self.journal.advance(payment, State.IDENTIFIED, facts={"account": "anna"})
        return payment

    def authorise(self, payment: TransactionId, minor: int = 1240) -> Authorisation:
        return self.settlement.authorise(
            payment, ANNA, Money(minor, "EUR"), payee="Corner shop", terminal="T1"
        )

    def pay(self, name: str, minor: int = 1240) -> TransactionId:
        payment = self.identified(name, minor)
        self.authorise(payment, minor)
        self.settlement.announce(payment)
        self.settlement.acknowledge(payment, learned=True)
        return payment

    def state(self, payment: TransactionId) -> State:
        entry = self.journal.find(payment)
        assert entry is not None
        return entry.state

    @property
    def taken(self) -> int:
        return 100_000 - self.wallet.balance(ANNA).minor


@pytest.fixture
def shop(engine: Engine) -> Shop:
    return Shop(engine)
