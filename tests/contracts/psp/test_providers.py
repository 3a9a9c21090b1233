"""Every payment provider keeps the same contract."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from facepay.psp.base import IdempotencyKey, PayerToken
from facepay.psp.handover import HandoverProvider
from facepay.psp.ledger import LedgerProvider, Wallet
from facepay.psp.offline import FloorLimits, OfflineProvider
from facepay.psp.order_book import OrderBook
from facepay.testing.contracts.psp import CHECKS, Bench
from pos_adapter.types import Money


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def ledger_bench(engine: Engine) -> Bench:
    wallet = Wallet(engine, now_ms=now_ms)
    payer, poor = PayerToken("wallet-anna"), PayerToken("wallet-poor")
    for account in (payer, poor):
        wallet.open_account(account, "EUR")
    wallet.top_up(payer, Money(10_000, "EUR"), IdempotencyKey("top-up-1"))
    return Bench(LedgerProvider(engine, now_ms=now_ms), payer, poor)


def handover_bench(engine: Engine) -> Bench:
    provider = HandoverProvider(OrderBook(engine, "handover", now_ms=now_ms))
    return Bench(provider, PayerToken("token:tok-1"), PayerToken("nobody"))


def offline_bench(engine: Engine) -> Bench:
    inner = ledger_bench(engine)
    provider = OfflineProvider(inner.provider, engine, FloorLimits(), now_ms=now_ms)
    return Bench(provider, inner.payer, inner.stranger)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", [ledger_bench, handover_bench, offline_bench])
def test_a_provider_keeps_the_contract(
    check: Callable[[Bench], None], make: Callable[[Engine], Bench], engine: Engine
) -> None:
    check(make(engine))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_stripe_keeps_the_contract(check: Callable[[Bench], None], line: Any) -> None:
    good, refused = (PayerToken(line.card(n)) for n in ("4242424242424242", "4000000000000341"))
    check(Bench(line.provider, good, refused, unique=f"run-{uuid.uuid4().hex}"))
