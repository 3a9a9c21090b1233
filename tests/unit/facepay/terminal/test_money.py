"""The money side of a terminal, built from settings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from facepay.db.session import Database, open_database
from facepay.errors import PluginError
from facepay.journal import Opening, State
from facepay.journal.verify import verify_journal
from facepay.psp.base import IdempotencyKey, PayerToken
from facepay.psp.handover import HandoverProvider
from facepay.psp.ledger import LedgerProvider, Wallet
from facepay.psp.offline import OfflineProvider
from facepay.psp.stripe import StripeProvider
from facepay.receipts import verify_authorised
from facepay.receipts.trust import trusted_by
from facepay.settings import OfflineSettings, PspSettings, SecretReference, Settings
from facepay.terminal.bookkeeping import Bookkeeper
from facepay.terminal.money import build_money, build_provider
from keys import MemoryKeyStore
from pos_adapter.types import Money, TransactionId

ANNA = PayerToken("wallet-anna")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'facepay.db'}")
    yield database
    database.close()


def provider(database: Database, **psp: object) -> object:
    return build_provider(Settings(psp=PspSettings(**psp)), database, now_ms)  # type: ignore[arg-type]


def test_each_provider_is_built_by_its_name(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_KEY", "sk_test_1")
    assert isinstance(provider(database), LedgerProvider)
    assert isinstance(provider(database, driver="handover"), HandoverProvider)
    stripe = provider(database, driver="stripe", secret=SecretReference("env:STRIPE_KEY"))
    assert isinstance(stripe, StripeProvider)


@pytest.mark.parametrize(
    ("psp", "reason"),
    [
        ({"driver": "striped"}, "stripe"),
        ({"driver": "stripe"}, r"psp\.secret"),
        ({"driver": "stripe", "options": {"timeout": 3}}, "timeout"),
        ({"driver": "ledger", "options": {"x": 1}}, "no options"),
        ({"driver": "handover", "options": {"x": 1}}, "no options"),
    ],
)
def test_a_wrong_provider_setting_is_named(database: Database, psp: dict[str, object], reason: str) -> None:
    with pytest.raises(PluginError, match=reason):
        provider(database, **psp)


def test_floor_limits_put_the_offline_store_before_the_provider(database: Database) -> None:
    settings = Settings(offline=OfflineSettings(payment_minor=1_000, account_minor=2_000))
    money = build_money(settings, database, MemoryKeyStore(), now_ms)
    assert isinstance(money.provider, OfflineProvider)
    assert money.reachable


def test_a_sale_is_signed_captured_and_sealed_by_a_checkpoint(database: Database) -> None:
    store = MemoryKeyStore()
    money = build_money(Settings(), database, store, now_ms)
    wallet = Wallet(database.engine, now_ms=now_ms)
    wallet.open_account(ANNA, "EUR")
    wallet.top_up(ANNA, Money(5_000, "EUR"), IdempotencyKey("top-up-1"))
    payment, amount = TransactionId("p1"), Money(1240, "EUR")
    money.journal.begin(Opening(payment, "rest/T1/till/1", "f", amount))
    facts = {"account": "a", "pseudonym": "0a" * 12, "liveness_level": 2, "factor": "pin"}
    money.journal.advance(payment, State.IDENTIFIED, facts=facts)
    money.settlement.authorise(payment, ANNA, amount, payee="Corner shop", terminal="T1")
    token = money.settlement.announce(payment).facts["statement"]
    assert verify_authorised(str(token), trusted_by(store)).money == amount
    # The power fails between the till's acknowledgement and the capture; the bookkeeper finishes it.
    money.journal.advance(payment, State.CONFIRMED)
    Bookkeeper(money).tidy()
    entry = money.journal.find(payment)
    assert entry is not None
    assert entry.state is State.CAPTURED
    report = verify_journal(database.engine, trusted_by(store))
    assert (report.sound, report.checkpoints, report.unsigned_rows) == (True, 1, 0)


def test_a_bookkeeper_starts_and_stops(database: Database) -> None:
    money = build_money(Settings(), database, MemoryKeyStore(), now_ms)
    with Bookkeeper(money, every_s=0.01):
        time.sleep(0.05)
