"""A shop that sells while everything breaks: a terminal, a provider with books of its own, and a till.

The till's memory is a file: a line per approval it has learned of. It outlives the terminal's process, as a
real till does, and after a restart the terminal asks it what it has learned.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from facepay.chaos.faults import CrookedClock, KillPoint, Plug, Weather
from facepay.db.session import Database, open_database
from facepay.errors import FacepayError
from facepay.journal import Entry, Journal, Opening, State
from facepay.psp.base import Answer, IdempotencyKey, PayerToken, PspError
from facepay.psp.ledger import LedgerProvider, Wallet
from facepay.settlement import Actor, Patience, RefundOf, Refunds, RefundTerms, Role, Settlement
from facepay.testing.faulty_provider import FaultyProvider
from pos_adapter.types import Money, TransactionId

PAYERS = 20
FUNDS_MINOR = 10**9
START_MS = 1_763_812_800_000


@dataclass(slots=True)
class Books:
    """Files of one run: the terminal's database, the provider's, and the till's memory."""

    folder: Path
    terminal: Database = field(init=False)
    provider: Database = field(init=False)

    def __post_init__(self) -> None:
        self.terminal = open_database(f"sqlite:///{self.folder / 'terminal.db'}")
        self.provider = open_database(f"sqlite:///{self.folder / 'provider.db'}")

    def close(self) -> None:
        """Close both databases."""
        self.terminal.close()
        self.provider.close()

    @property
    def till(self) -> Path:
        """The till's memory."""
        return self.folder / "till.txt"

    def learned(self) -> frozenset[str]:
        """Payments whose approval the till has learned of."""
        return frozenset(self.till.read_text("ascii").split()) if self.till.exists() else frozenset()

    def learn(self, payment: TransactionId) -> None:
        """The till writes down an approval."""
        with self.till.open("a", encoding="ascii") as out:
            out.write(f"{payment}\n")


class Shop:
    """Sells payment after payment; `restart` is what the process does after its plug was pulled."""

    def __init__(self, books: Books, chance: random.Random, plug: Plug, *, mishap_rate: float) -> None:
        self._books = books
        self._chance = chance
        self._plug = plug
        self.clock = CrookedClock(chance, START_MS)
        self.weather = Weather(chance, mishap_rate)
        self.wallet = Wallet(books.provider.engine, now_ms=lambda: START_MS)
        self.provider = FaultyProvider(
            LedgerProvider(books.provider.engine, now_ms=lambda: START_MS), self.weather
        )
        self.disks_filled = 0
        self._build()

    def open_accounts(self) -> None:
        """Give every payer an account with money; safe to repeat."""
        for number in range(PAYERS):
            self.wallet.open_account(_payer(number), "EUR")
            key = IdempotencyKey(f"chaos-top-up-{number}")
            self.wallet.top_up(_payer(number), Money(FUNDS_MINOR, "EUR"), key)

    def sell(self, number: int, kill_at: KillPoint | None = None) -> None:
        """One sale from the till's request to its acknowledgement, with whatever goes wrong."""
        self._plug.point = kill_at
        payment = TransactionId(f"c{number}")
        amount = Money(self._chance.randrange(1, 20_000), "EUR")
        payer = _payer(self._chance.randrange(PAYERS + 1))
        if self._chance.random() < 0.02:
            self.clock.skew()
        with contextlib.suppress(FacepayError, PspError), self._disk():
            self._sell(payment, amount, payer)
        self._plug.point = None

    def restart(self) -> None:
        """What a terminal does at start: settle what is open, asking the till what it has learned."""
        self._build()
        learned = self._books.learned()
        with contextlib.suppress(FacepayError, PspError):
            self.settlement.settle_open(lambda entry: entry.payment in learned)

    def arm(self, point: KillPoint | None) -> None:
        """Pull the plug at a point that may come while the terminal restarts."""
        self._plug.point = point

    def held_minor(self) -> int:
        """What the provider's books hold for orders neither captured nor voided."""
        return sum(line.minor for line in self.wallet.statement("held:EUR"))

    def tidy_up(self) -> None:
        """In calm weather and without faults, settle until nothing is open."""
        self.weather.calm = True
        self._plug.point = None
        for _ in range(5):
            self.provider.deliver_late()
            self.restart()

    def _build(self) -> None:
        engine = self._books.terminal.engine
        self.journal = Journal(engine, chain="chaos", now_ms=self.clock, observer=self._plug)
        self.settlement = Settlement(
            self.journal, self.provider, self.provider, wait=lambda _: None, patience=Patience(tries=3)
        )
        terms = RefundTerms(within_days=3650)
        self.refunds = Refunds(self.journal, self.settlement, terms, now_ms=self.clock)

    def _sell(self, payment: TransactionId, amount: Money, payer: PayerToken) -> None:
        opening = Opening(payment, f"chaos/till/{payment}", f"{amount.minor}", amount)
        self.journal.begin(opening)
        if self._chance.random() < 0.1:
            # A till that repeats its request gets the payment it has begun, not a second one.
            self.journal.begin(opening)
        if self._chance.random() < 0.05:
            # The shopper walks away before the terminal knows who it is.
            self.journal.advance(payment, State.ABORTED, {"reason": "left"})
            return
        stays = self._chance.random() < 0.95
        answer = self.settlement.authorise(
            payment,
            payer,
            amount,
            payee="Chaos shop",
            terminal="chaos",
            identified={"account": payer, "factor": "pin"},
            wanted=lambda: stays,
        )
        if answer.answer is not Answer.APPROVED:
            return
        if not stays or self._chance.random() < 0.1:
            # The shopper left while the provider was thinking, or the answer never reached the till.
            self.settlement.acknowledge(payment, learned=False)
            return
        if self._chance.random() < 0.5:
            # A wire without an acknowledgement of its own.
            self.settlement.telling(payment)
        self._books.learn(payment)
        for _ in range(self._chance.choice([1, 1, 1, 2])):
            entry = self.settlement.acknowledge(payment, learned=True)
        if entry.state is State.CAPTURED and self._chance.random() < 0.2:
            self._refund(entry)

    def _refund(self, entry: Entry) -> None:
        part = Money(self._chance.randrange(1, entry.amount.minor + 1), "EUR")
        asked = RefundOf(
            f"chaos/refund/{entry.payment}",
            entry.payment,
            part,
            Actor("max", Role.MANAGER),
            Actor("sam", Role.SUPERVISOR),
        )
        for _ in range(self._chance.choice([1, 2])):
            self.refunds.refund(asked)

    @contextlib.contextmanager
    def _disk(self) -> Iterator[None]:
        """Now and then the disk is full for one sale: SQLite may not grow its file any more."""
        if self._chance.random() >= 0.02:
            yield
            return
        self.disks_filled += 1
        pages = self._pragma("page_count")
        self._pragma(f"max_page_count = {pages}")
        try:
            yield
        finally:
            self._pragma("max_page_count = 1073741823")

    def _pragma(self, text: str) -> int:
        # The pool of a single-threaded user hands out one and the same connection.
        with self._books.terminal.engine.connect() as connection:
            return int(connection.exec_driver_sql(f"PRAGMA {text}").scalar_one())


def _payer(number: int) -> PayerToken:
    # The last one has no account: some sales are declined.
    return PayerToken(f"payer-{number}")
