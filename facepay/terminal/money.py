"""Builds the money side of a terminal: journal, provider, settlement, refunds, accounts, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from facepay.accounts import Accounts, MerchantLimits
from facepay.db.session import Database
from facepay.journal import Journal
from facepay.journal.checkpoints import Checkpoints
from facepay.plugins import Tools, load_factory
from facepay.psp.offline import FloorLimits, OfflineProvider, Provider
from facepay.receipts import StatementIssuer
from facepay.settings import Settings
from facepay.settlement import Refunds, RefundTerms, Settlement
from keys import KeyStore


@dataclass(frozen=True, slots=True)
class MoneySide:
    """Everything that touches money in one terminal."""

    database: Database
    journal: Journal
    provider: Provider
    settlement: Settlement
    refunds: Refunds
    accounts: Accounts
    checkpoints: Checkpoints

    @property
    def reachable(self) -> bool:
        """Whether the provider answered last time; always True where nothing is taken offline."""
        return self.provider.reachable if isinstance(self.provider, OfflineProvider) else True


def build_money(
    settings: Settings, database: Database, keys: KeyStore, now_ms: Callable[[], int]
) -> MoneySide:
    """Build the money side on an opened database and key store."""
    names = settings.terminal
    journal = Journal(database.engine, chain=names.terminal, now_ms=now_ms)
    provider = build_provider(settings, database, now_ms)
    issuer = StatementIssuer(keys, now_s=lambda: now_ms() // 1000)
    settlement = Settlement(journal, provider, provider, wait=time.sleep, statement=issuer.issue)
    return MoneySide(
        database=database,
        journal=journal,
        provider=provider,
        settlement=settlement,
        refunds=Refunds(journal, settlement, refund_terms(settings), now_ms=now_ms),
        accounts=build_accounts(settings, database, keys, now_ms),
        checkpoints=Checkpoints(database.engine, chain=names.terminal, signer=keys, now_ms=now_ms),
    )


def build_accounts(
    settings: Settings, database: Database, keys: KeyStore, now_ms: Callable[[], int]
) -> Accounts:
    """The payers' accounts under the merchant's limits."""
    names, limits = settings.terminal, settings.limits
    return Accounts(
        database.engine,
        keys,
        terminal=names.terminal,
        merchant=names.tenant,
        now_ms=now_ms,
        limits=MerchantLimits(limits.payment_minor, limits.day_minor, limits.day_payments),
    )


def build_provider(settings: Settings, database: Database, now_ms: Callable[[], int]) -> Provider:
    """The provider of the settings, behind the offline store where the merchant takes that risk."""
    tools = Tools(settings, {"database": database, "now_ms": now_ms})
    made = load_factory("psp", settings.psp.driver)(settings.psp.options, tools)
    # The contract tests of the group hold every provider to both Protocols.
    provider = cast("Provider", made)
    offline = settings.offline
    if not offline.payment_minor:
        return provider
    limits = FloorLimits(offline.payment_minor, offline.account_minor)
    return OfflineProvider(provider, database.engine, limits, now_ms=now_ms)


def refund_terms(settings: Settings) -> RefundTerms:
    """The merchant's rules for refunds."""
    refunds = settings.refunds
    return RefundTerms(
        cashier_limit_minor=refunds.cashier_limit_minor,
        second_person_minor=refunds.second_person_minor,
        within_days=refunds.within_days,
    )
