"""Journal, wallet, accounts and the provider contract on a PostgreSQL server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from facepay.accounts import Accounts, LockedOut
from facepay.db.engine import open_engine
from facepay.errors import FactorFailed
from facepay.gallery.news import changed_subjects, count_changes, note_change
from facepay.journal import Journal, JournalUnavailable, Opening, RequestChanged, State
from facepay.journal.checkpoints import Checkpoints, Period
from facepay.journal.verify import verify_journal
from facepay.psp.base import Answer, IdempotencyKey, Order, PayerToken
from facepay.psp.handover import HandoverProvider
from facepay.psp.ledger import LedgerProvider, Wallet
from facepay.psp.order_book import OrderBook
from facepay.settlement import Actor, RefundOf, RefundRefused, Refunds, RefundTerms, Role, Settlement
from facepay.testing.contracts.psp import CHECKS, Bench
from facepay.types import SubjectId
from keys.keystore_memory import MemoryKeyStore
from keys.passphrase import FLOOR
from pos_adapter.types import Money, TransactionId

pytestmark = pytest.mark.postgresql
ANNA = PayerToken("wallet-anna")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def wallet(engine: Engine) -> Wallet:
    wallet = Wallet(engine, now_ms=now_ms)
    for name in (ANNA, PayerToken("wallet-poor")):
        wallet.open_account(name, "EUR")
    wallet.top_up(ANNA, Money(10_000, "EUR"), IdempotencyKey("top-up-1"))
    return wallet


def opening(name: str, minor: int = 100) -> Opening:
    return Opening(TransactionId(name), f"request-{name}", f"{minor}", Money(minor, "EUR"))


def together(count: int, work: Callable[[int], None]) -> None:
    failures: list[BaseException] = []

    def run(at: int) -> None:
        try:
            work(at)
        except BaseException as error:  # carried to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=(at,)) for at in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_wallet_keeps_the_contract(check: Callable[[Bench], None], postgresql: Engine) -> None:
    wallet(postgresql)
    check(Bench(LedgerProvider(postgresql, now_ms=now_ms), ANNA, PayerToken("wallet-poor")))


def test_the_handover_keeps_the_contract(postgresql: Engine) -> None:
    for number, check in enumerate(CHECKS):
        provider = HandoverProvider(OrderBook(postgresql, "handover", now_ms=now_ms))
        check(Bench(provider, PayerToken("token:1"), PayerToken("nobody"), unique=f"bench-{number}"))


def test_terminals_that_enrol_their_first_payer_at_once_count_every_change(postgresql: Engine) -> None:
    def enrol(at: int) -> None:
        with Session(postgresql) as session, session.begin():
            note_change(session, "shop", SubjectId(f"{at:032x}"))
            # Long enough for the others to find no row either.
            time.sleep(0.05)

    together(6, enrol)
    with Session(postgresql) as session:
        assert count_changes(session, "shop") == 6
        assert changed_subjects(session, "shop", 0, 6) == {SubjectId(f"{at:032x}") for at in range(6)}


def test_orders_at_once_never_overdraw_an_account(postgresql: Engine) -> None:
    books, provider = wallet(postgresql), LedgerProvider(postgresql, now_ms=now_ms)
    answers: list[Answer] = []

    def authorise(at: int) -> None:
        order = Order(IdempotencyKey(f"race-{at}-order"), ANNA, Money(3_000, "EUR"), "shop", "T1", "r")
        answers.append(provider.authorise(order).answer)

    together(6, authorise)
    assert answers.count(Answer.APPROVED) == 3
    assert books.balance(ANNA) == Money(1_000, "EUR")
    books.require_books_balance()


def test_several_processes_write_one_chain_and_it_verifies(postgresql: Engine) -> None:
    def write(at: int) -> None:
        journal = Journal(postgresql, chain=f"T{at % 2}", now_ms=now_ms)
        for number in range(5):
            payment = TransactionId(f"p{at}-{number}")
            journal.begin(opening(payment))
            journal.advance(payment, State.DECLINED)

    # Two journals, two chains, each with a second writer that only reads the head anew.
    together(2, write)
    store = MemoryKeyStore()
    for chain in ("T0", "T1"):
        Checkpoints(postgresql, chain=chain, signer=store, now_ms=now_ms).close(Period.DAY)
    report = verify_journal(postgresql, {store.signing_key: store.verifying_key(store.signing_key)})
    assert report.sound
    assert (report.rows, report.chains, report.checkpoints) == (20, 2, 2)


def test_a_second_writer_of_a_chain_follows_the_first(postgresql: Engine) -> None:
    first, second = (Journal(postgresql, chain="T1", now_ms=now_ms) for _ in range(2))
    for number in range(6):
        (first, second)[number % 2].begin(opening(f"p{number}"))
    report = verify_journal(postgresql, {})
    assert report.sound
    assert report.rows == 6


def test_a_request_made_twice_at_once_is_one_payment(postgresql: Engine) -> None:
    def begin(at: int) -> None:
        request = Opening(TransactionId(f"p{at}"), "request-1", "f", Money(1, "EUR"))
        Journal(postgresql, chain=f"T{at}", now_ms=now_ms).begin(request)

    together(4, begin)
    journal = Journal(postgresql, chain="T9", now_ms=now_ms)
    assert verify_journal(postgresql, {}).payments == 1
    with pytest.raises(RequestChanged):
        journal.begin(Opening(TransactionId("p9"), "request-1", "g", Money(2, "EUR")))


@pytest.mark.parametrize(
    "statement", ["UPDATE journal_row SET body = 'x'", "DELETE FROM journal_row", "TRUNCATE journal_row"]
)
def test_the_server_itself_refuses_to_change_a_row(postgresql: Engine, statement: str) -> None:
    Journal(postgresql, chain="T1", now_ms=now_ms).begin(opening("p1"))
    with pytest.raises(DBAPIError, match="append-only"), postgresql.begin() as connection:
        connection.exec_driver_sql(statement)


def test_refunds_at_once_never_exceed_the_payment(postgresql: Engine) -> None:
    books, provider = wallet(postgresql), LedgerProvider(postgresql, now_ms=now_ms)
    journal = Journal(postgresql, chain="T1", now_ms=now_ms)
    settlement = Settlement(journal, provider, provider, wait=lambda _: None)
    payment, amount = TransactionId("p1"), Money(1_000, "EUR")
    journal.begin(opening("p1", 1_000))
    journal.advance(payment, State.IDENTIFIED)
    settlement.authorise(payment, ANNA, amount, payee="shop", terminal="T1")
    settlement.announce(payment)
    settlement.acknowledge(payment, learned=True)
    refused: list[int] = []

    def refund(at: int) -> None:
        own = Journal(postgresql, chain=f"T{at + 2}", now_ms=now_ms)
        desk = Refunds(
            own,
            Settlement(own, provider, provider, wait=lambda _: None),
            RefundTerms(),
            now_ms=now_ms,
        )
        try:
            actor = Actor("sam", Role.SUPERVISOR)
            desk.refund(RefundOf(f"refund-{at}", payment, Money(400, "EUR"), actor))
        except RefundRefused:
            refused.append(at)

    together(4, refund)
    assert len(refused) == 2
    assert books.balance(ANNA) == Money(9_800, "EUR")


def test_accounts_lock_on_the_server_too(postgresql: Engine) -> None:
    accounts = Accounts(
        postgresql, MemoryKeyStore(), terminal="T1", merchant="shop", now_ms=now_ms, pin_cost=FLOOR
    )
    accounts.enrol("anna", "4711")
    for _ in range(5):
        with pytest.raises(FactorFailed):
            accounts.require_pin("anna", "0000")
    with pytest.raises(LockedOut):
        accounts.require_usable("anna", Money(1, "EUR"))


def test_a_server_that_is_gone_is_said_to_be_gone() -> None:
    engine = open_engine("postgresql+psycopg://facepay@127.0.0.1:9/facepay")
    with pytest.raises(JournalUnavailable, match="cannot be"):
        Journal(engine, chain="T1", now_ms=now_ms).begin(opening("p1"))
