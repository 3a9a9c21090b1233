"""What a payment costs once the face is decided: journal and policy, throughput, memory, journal verify.

The face stage is replaced by a recorded decision. SQLite with `synchronous=FULL`, beside one fsync.
`python -m benchmarks.checkout [PAYMENTS [ROWS]]`; the targets are over 100,000 payments and 1,000,000 rows.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.arguments import whole_numbers
from benchmarks.results import Row, quantiles, resident_mb, tell, timed_ms
from facepay.accounts import Accounts
from facepay.db.session import Database, open_database
from facepay.journal import Facts, Journal, Opening, State, Step
from facepay.journal.rows import GENESIS, Link
from facepay.journal.verify import verify_journal
from facepay.policy import PolicyInputs, PolicyTerms, decide, default_rules
from facepay.psp.base import IdempotencyKey, PayerToken
from facepay.psp.ledger import LedgerProvider, Wallet
from facepay.receipts import StatementIssuer
from facepay.settlement import Settlement
from keys import MemoryKeyStore
from pos_adapter.types import Money, TransactionId

PAYERS = 100
ROWS_A_PAYMENT = 7
COMMITS_A_PAYMENT = 5
"""Of the journal alone; the provider has its own two."""
RULES = default_rules(PolicyTerms(currency="EUR"))
AMOUNT = Money(1240, "EUR")


STEP_MS = 20_000
"""Time between payments as the terminal sees it, so that no account passes the limits of a day."""


class Terminal:
    """The money side of a terminal, with a recorded decision instead of a face."""

    def __init__(self, database: Database) -> None:
        store = MemoryKeyStore()
        self.sold = 0
        started_ms = time.time_ns() // 1_000_000

        def now_ms() -> int:
            return started_ms + self.sold * STEP_MS

        self.journal = Journal(database.engine, chain="T1", now_ms=now_ms)
        self.accounts = Accounts(database.engine, store, terminal="T1", merchant="shop", now_ms=now_ms)
        provider = LedgerProvider(database.engine, now_ms=now_ms)
        issuer = StatementIssuer(store, now_s=lambda: now_ms() // 1000)
        self.settlement = Settlement(
            self.journal, provider, provider, wait=time.sleep, statement=issuer.issue
        )
        wallet = Wallet(database.engine, now_ms=now_ms)
        for number in range(PAYERS):
            payer = PayerToken(f"payer-{number}")
            wallet.open_account(payer, "EUR")
            wallet.top_up(payer, Money(10**9, "EUR"), IdempotencyKey(f"top-up-{number}"))
            self.accounts.enrol(payer, None)

    def pay(self, number: int) -> None:
        """One payment from the till's request to the capture."""
        self.sold += 1
        payment, payer = TransactionId(f"p{number}"), PayerToken(f"payer-{number % PAYERS}")
        facts = self.decided(payment, number, payer)
        self.settlement.authorise(
            payment, payer, AMOUNT, payee="Shop", terminal="T1", identified=facts, wanted=lambda: True
        )
        self.settlement.acknowledge(payment, learned=True)

    def journal_and_policy(self, number: int) -> None:
        """The same without the provider: every row of the journal, the policy, the account."""
        self.sold += 1
        payment, payer = TransactionId(f"j{number}"), f"payer-{number % PAYERS}"
        facts = self.decided(payment, number, payer)
        self.journal.walk(payment, Step(State.IDENTIFIED, facts), Step(State.AUTHORISING))
        self.journal.walk(payment, Step(State.AUTHORISED), Step(State.ANNOUNCED))
        self.journal.advance(payment, State.CONFIRMED)
        self.journal.advance(payment, State.CAPTURED)

    def decided(self, payment: TransactionId, number: int, payer: str) -> Facts:
        """Request, account, policy: what the sale does between the wire and the money."""
        self.journal.begin(Opening(payment, f"bench/T1/till/{payment}", str(number), AMOUNT))
        self.accounts.require_usable(payer, AMOUNT)
        spending = self.accounts.standing(payer).spending
        inputs = PolicyInputs(AMOUNT, spending, 2, 0.4, 100, first_payment=False, look_alike=False)
        decide(inputs, RULES)
        return {"account": payer, "pseudonym": "0a" * 12, "liveness_level": 2, "factor": "pin"}


def fsync_ms(folder: Path) -> list[float]:
    """The disk's own fsync of 4 KiB, appended as a write-ahead log does."""
    with (folder / "fsync").open("wb") as out:

        def write() -> None:
            out.write(bytes(4096))
            out.flush()
            os.fsync(out.fileno())

        return timed_ms(write, 200)


def overhead(terminal: Terminal, folder: Path) -> list[Row]:
    """Journal and policy of one payment, and the fsyncs it is made of."""
    numbers = iter(range(10**9))
    spent = timed_ms(lambda: terminal.journal_and_policy(next(numbers)), 300)
    disk = fsync_ms(folder)
    return [
        {"what": "journal and policy, ms a payment", **quantiles(spent), "target p95": 5.0},
        {"what": "one fsync of this disk, ms", **quantiles(disk)},
        {
            "what": f"{COMMITS_A_PAYMENT} fsyncs of this disk, ms",
            **quantiles([COMMITS_A_PAYMENT * t for t in disk]),
        },
    ]


def throughput(terminal: Terminal, payments: int) -> list[Row]:
    """Whole payments through the ledger, and the memory at every tenth of them."""
    for number in range(100):
        terminal.pay(number)
    memory_mb, started = [resident_mb()], time.perf_counter()
    for number in range(100, 100 + payments):
        terminal.pay(number)
        if (number - 99) % max(1, payments // 10) == 0:
            memory_mb.append(resident_mb())
    a_second = payments / (time.perf_counter() - started)
    return [
        {"what": f"{payments} payments, a second", "p50": round(a_second, 1), "target": 50},
        {"what": "memory before, MB", "p50": memory_mb[0]},
        {"what": "memory half-way, MB", "p50": memory_mb[len(memory_mb) // 2]},
        {"what": "memory after, MB", "p50": memory_mb[-1]},
    ]


def links(rows: int) -> Iterator[Link]:
    """A well-formed chain of so many rows."""
    previous, body = (
        GENESIS,
        '{"account":"payer-1","factor":"face","liveness_level":2,"statement":"' + "x" * 500 + '"}',
    )
    for sequence in range(1, rows + 1):
        payment, step = divmod(sequence - 1, ROWS_A_PAYMENT)
        link = Link("T1", sequence, f"p{payment}", STEPS[step].value, sequence, body, previous)
        yield link
        previous = link.hash


STEPS = (
    State.NEW,
    State.IDENTIFIED,
    State.AUTHORISING,
    State.AUTHORISED,
    State.ANNOUNCED,
    State.CONFIRMED,
    State.CAPTURED,
)


def verification(folder: Path, rows: int) -> list[Row]:
    """`journal verify` over so many rows; the payments themselves are left out, which it says."""
    database = open_database(f"sqlite:///{folder / 'long.db'}")
    insert = "INSERT INTO journal_row VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    with database.engine.begin() as connection:
        raw = connection.connection.cursor()
        raw.executemany(
            insert,
            (
                (k.chain, k.sequence, k.payment, k.state, k.at_ms, k.body, k.previous, k.hash)
                for k in links(rows)
            ),
        )
    started = time.perf_counter()
    report = verify_journal(database.engine, {})
    spent_s = time.perf_counter() - started
    database.close()
    assert report.rows == rows
    assert len(report.problems) == 1
    return [{"what": f"verify {rows} rows, s", "p50": round(spent_s, 2), "target": round(60 * rows / 1e6, 1)}]


def main(payments: int = 1_000, rows: int = 100_000) -> None:
    """Run and tell."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("FACEPAY_BENCH_DISK")) as name:
        folder = Path(name)
        database = open_database(f"sqlite:///{folder / 'bench.db'}")
        terminal = Terminal(database)
        # As `facepay serve` does once everything is built.
        gc.collect()
        gc.freeze()
        found = overhead(terminal, folder) + throughput(terminal, payments)
        database.close()
        found += verification(folder, rows)
    tell("checkout", found, ["SQLite, WAL, synchronous=FULL; FACEPAY_BENCH_DISK names another disk"])


if __name__ == "__main__":
    main(*whole_numbers(sys.argv[1:], "[PAYMENTS [JOURNAL_ROWS]]", most=2))
