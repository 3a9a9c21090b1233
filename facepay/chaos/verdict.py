"""Counts the cents: what the till learned, what the journal says, what the provider's books say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from facepay.chaos.faults import KillPoint
from facepay.chaos.shop import FUNDS_MINOR, PAYERS, Books, Shop
from facepay.journal import State
from facepay.journal.export import Span, entries_reaching
from facepay.journal.verify import verify_journal
from facepay.psp.base import BookedKind, PayerToken, PspError

ALL_TIME = Span(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Ended:
    """How the terminal's process ended: by cuts inside one process, by real kills, and where it never was."""

    cuts: int
    kills: int
    never_at: frozenset[KillPoint]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was proven; `failures` is empty where every cent is accounted for."""

    payments: int
    captured: int
    captured_minor: int
    refunded: int
    refunded_minor: int
    declined: int
    voided: int
    power_cuts: int
    kills: int
    never_killed_at: tuple[str, ...]
    mishaps: int
    clock_skews: int
    full_disks: int
    journal_rows: int
    failures: tuple[str, ...]

    @property
    def proven(self) -> bool:
        """Whether captures equal acknowledged approvals and nothing is left open."""
        return not self.failures


def judge(shop: Shop, books: Books, ended: Ended) -> Verdict:
    """Compare the three accounts after `Shop.tidy_up`."""
    entries = list(entries_reaching(books.terminal.engine, tuple(s.value for s in State), ALL_TIME))
    captured = {e.payment: e.amount.minor for e in entries if e.state is State.CAPTURED}
    refunded = {e.payment: e.amount.minor for e in entries if e.state is State.REFUNDED}
    booked = list(shop.provider.booked(ALL_TIME.since, ALL_TIME.until))
    taken = sorted(b.amount.minor for b in booked if b.kind is BookedKind.CAPTURE)
    returned = sorted(b.amount.minor for b in booked if b.kind is BookedKind.REFUND)
    report = verify_journal(books.terminal.engine, {})
    learned = books.learned()
    left = [e.payment for e in shop.journal.open_entries()]
    checks = {
        "captures are exactly the approvals the till has learned of": captured.keys() == learned,
        "the provider has captured exactly what the journal says": taken == sorted(captured.values()),
        "the provider has refunded exactly what the journal says": returned == sorted(refunded.values()),
        "no payment is left open": not left,
        "the provider holds nothing": shop.held_minor() == 0,
        "the payers have paid exactly what was captured less refunds": (
            _spent(shop) == sum(captured.values()) - sum(refunded.values())
        ),
        "every posting of the provider's books balances": _balances(shop),
        "the journal is sound": report.sound,
    }
    return Verdict(
        payments=sum(1 for e in entries if e.original is None),
        captured=len(captured),
        captured_minor=sum(captured.values()),
        refunded=len(refunded),
        refunded_minor=sum(refunded.values()),
        declined=sum(1 for e in entries if e.state is State.DECLINED),
        voided=sum(1 for e in entries if e.state is State.VOIDED),
        power_cuts=ended.cuts,
        kills=ended.kills,
        never_killed_at=tuple(sorted(map(str, ended.never_at))),
        mishaps=shop.weather.mishaps,
        clock_skews=shop.clock.skews,
        full_disks=shop.disks_filled,
        journal_rows=report.rows,
        failures=tuple(what for what, holds in checks.items() if not holds),
    )


def _spent(shop: Shop) -> int:
    balances = (shop.wallet.balance(PayerToken(f"payer-{number}")).minor for number in range(PAYERS))
    return sum(FUNDS_MINOR - balance for balance in balances)


def _balances(shop: Shop) -> bool:
    try:
        shop.wallet.require_books_balance()
    except PspError:
        return False
    return True
