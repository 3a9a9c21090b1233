"""What goes wrong on the way of a payment: a clear error each time, and no cent lost or doubled.

`docs/bad-input.md` says which test holds each row of its table.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from facepay.accounts import AccountLimits, Accounts, Choices, MerchantLimits
from facepay.db.session import Database, open_database
from facepay.errors import FacepayError, LimitExceeded, OutcomeUnknown
from facepay.journal import Entry, Journal, JournalUnavailable, Opening, RequestChanged, State
from facepay.journal.verify import verify_journal
from facepay.outcomes import outcome_of
from facepay.policy import FactorRequirement, PolicyInputs, PolicyTerms, decide, default_rules
from facepay.psp.base import Answer, IdempotencyKey, PayerToken, PspError
from facepay.psp.ledger import LedgerProvider, Wallet
from facepay.receipts import StatementExpired, StatementIssuer, require_fresh, verify_authorised
from facepay.receipts.trust import trusted_by
from facepay.settlement import Actor, Patience, RefundOf, Refunds, RefundTerms, Role, Settlement
from facepay.testing.faulty_provider import FaultyProvider, Mishap
from keys import MemoryKeyStore
from pos_adapter.errors import AmountNotRepresentable
from pos_adapter.types import Money, TransactionId

ANNA = PayerToken("wallet-anna")
FUNDS = 100_000
NOON = 1_763_812_800_000
FACTS = {"account": "anna", "pseudonym": "0a" * 12, "liveness_level": 2, "factor": "pin"}


class Shop:
    """The money side of a terminal, whose provider has mishaps as told."""

    def __init__(self, database: Database) -> None:
        engine, self.ms = database.engine, NOON
        self.engine, self.keys = engine, MemoryKeyStore()
        self.mishaps: list[Mishap] = []
        self.wallet = Wallet(engine, now_ms=self.now_ms)
        self.wallet.open_account(ANNA, "EUR")
        self.wallet.top_up(ANNA, Money(FUNDS, "EUR"), IdempotencyKey("top-up-1"))
        self.journal = Journal(engine, chain="T1", now_ms=self.now_ms)
        provider = FaultyProvider(
            LedgerProvider(engine, now_ms=self.now_ms),
            lambda _: self.mishaps.pop(0) if self.mishaps else Mishap.NONE,
        )
        self.provider = provider
        issuer = StatementIssuer(self.keys, now_s=lambda: self.ms // 1000)
        self.settlement = Settlement(
            self.journal,
            provider,
            provider,
            wait=lambda _: None,
            patience=Patience(tries=3),
            statement=issuer.issue,
        )
        self.refunds = Refunds(self.journal, self.settlement, RefundTerms(), now_ms=self.now_ms)

    def now_ms(self) -> int:
        return self.ms

    def begin(self, name: str, minor: int = 1240) -> TransactionId:
        opening = Opening(TransactionId(name), f"rest/T1/till/{name}", f"{minor}", Money(minor, "EUR"))
        return self.journal.begin(opening).entry.payment

    def pay(self, name: str, minor: int = 1240) -> Entry | None:
        """From the request to the capture; None where it ended without money, which is then settled."""
        payment = self.begin(name, minor)
        answer = None
        with contextlib.suppress(FacepayError, PspError):
            answer = self.settlement.authorise(
                payment,
                ANNA,
                Money(minor, "EUR"),
                payee="shop",
                terminal="T1",
                identified=FACTS,
                wanted=lambda: True,
            )
        approved = answer is not None and answer.answer is Answer.APPROVED
        return self.settlement.acknowledge(payment, learned=True) if approved else None

    def require_every_cent(self, taken_minor: int) -> None:
        """In calm weather everything is settled, the books balance, and exactly this much was taken."""
        self.mishaps.clear()
        self.provider.deliver_late()
        assert self.settlement.settle_open().clean
        self.wallet.require_books_balance()
        assert FUNDS - self.wallet.balance(ANNA).minor == taken_minor
        assert verify_journal(self.engine, trusted_by(self.keys)).sound


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'facepay.db'}")
    yield database
    database.close()


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


@pytest.mark.parametrize("minor", [0, -1])
def test_an_amount_of_nothing_is_never_asked_for(shop: Shop, minor: int) -> None:
    amount = Money(minor, "EUR")
    with pytest.raises(AmountNotRepresentable):
        amount.require_payable()
    rules = default_rules(PolicyTerms(currency="EUR"))
    inputs = PolicyInputs(amount, liveness_level=3, first_payment=False, look_alike=False, pin_given=True)
    assert decide(inputs, rules).required is FactorRequirement.REFUSE
    assert shop.pay("p1", minor) is None
    shop.require_every_cent(0)


def test_an_amount_above_a_limit_is_refused_before_anybody_is_asked(shop: Shop) -> None:
    limits = MerchantLimits(payment_minor=5_000)
    accounts = Accounts(
        shop.engine, shop.keys, terminal="T1", merchant="shop", now_ms=shop.now_ms, limits=limits
    )
    accounts.enrol("anna", None)
    accounts.choose("anna", Choices(AccountLimits(payment_minor=2_000)))
    for minor in (2_001, 5_001):
        with pytest.raises(LimitExceeded) as caught:
            accounts.require_usable("anna", Money(minor, "EUR"))
        assert not outcome_of(caught.value).alert
    accounts.require_usable("anna", Money(2_000, "EUR"))
    shop.require_every_cent(0)


def test_another_currency_is_refused_by_policy_and_provider(shop: Shop) -> None:
    rules = default_rules(PolicyTerms(currency="EUR"))
    inputs = PolicyInputs(Money(500, "CHF"), liveness_level=3, first_payment=False, look_alike=False)
    assert "currency" in decide(inputs, rules).rules
    payment = shop.begin("p1")
    answer = shop.settlement.authorise(
        payment, ANNA, Money(500, "CHF"), payee="shop", terminal="T1", identified=FACTS
    )
    assert answer.answer is Answer.DECLINED
    shop.require_every_cent(0)


def test_an_expired_statement_may_not_be_acted_on(shop: Shop) -> None:
    entry = shop.pay("p1")
    assert entry is not None
    said = verify_authorised(str(entry.facts["statement"]), trusted_by(shop.keys))
    require_fresh(said, NOON // 1000 + 59)
    with pytest.raises(StatementExpired, match="expired"):
        require_fresh(said, NOON // 1000 + 60)
    shop.require_every_cent(1240)


def test_a_clock_set_back_a_day_charges_nobody_twice_and_the_journal_stays_sound(shop: Shop) -> None:
    shop.pay("p1")
    shop.ms -= 86_400_000
    shop.pay("p2")
    shop.pay("p1")
    shop.require_every_cent(2 * 1240)


def test_a_repeated_request_with_another_amount_is_refused_and_not_replayed(shop: Shop) -> None:
    shop.pay("p1")
    with pytest.raises(RequestChanged):
        shop.begin("p1", 1241)
    assert not outcome_of(RequestChanged("x")).outcome.is_approval
    shop.require_every_cent(1240)


@pytest.mark.parametrize("mishap", [Mishap.LATE_REQUEST, Mishap.TWICE, Mishap.NONSENSE])
@pytest.mark.parametrize("at", range(3))
def test_a_provider_that_answers_late_twice_or_nonsense_moves_every_cent_once(
    shop: Shop, mishap: Mishap, at: int
) -> None:
    shop.mishaps = [Mishap.NONE] * at + [mishap]
    entry = shop.pay("p1")
    assert entry is not None
    assert entry.state is State.CAPTURED
    cashier = Actor("sam", Role.CASHIER)
    refund = shop.refunds.refund(RefundOf("r1", entry.payment, Money(240, "EUR"), cashier))
    assert refund.state is State.REFUNDED
    shop.require_every_cent(1000)


@pytest.mark.parametrize("mishap", [Mishap.LATE_REQUEST, Mishap.NONSENSE, Mishap.LOST_REQUEST])
def test_a_provider_nobody_understands_any_more_is_never_told_as_a_decline(
    shop: Shop, mishap: Mishap
) -> None:
    payment = shop.begin("p1")
    shop.mishaps = [mishap] * 9
    with pytest.raises(OutcomeUnknown):
        shop.settlement.authorise(
            payment, ANNA, Money(1240, "EUR"), payee="shop", terminal="T1", identified=FACTS
        )
    shop.require_every_cent(0)


def test_a_locked_database_charges_nothing_and_the_next_sale_goes_on(
    database: Database, tmp_path: Path
) -> None:
    from facepay.db.engine import open_engine

    shop = Shop(database)
    payment = shop.begin("p1")
    impatient = open_engine(f"sqlite:///{tmp_path / 'facepay.db'}", busy_timeout_ms=50)
    journal = Journal(impatient, chain="T1", now_ms=shop.now_ms)
    with database.engine.connect() as other, other.begin(), pytest.raises(JournalUnavailable, match="locked"):
        journal.advance(payment, State.IDENTIFIED)
    impatient.dispose()
    shop.pay("p2")
    shop.require_every_cent(1240)


def test_a_full_disk_charges_nothing_and_the_next_sale_goes_on(shop: Shop) -> None:
    def limit(pages: int) -> None:
        with shop.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    payment = shop.begin("p1")
    # Fewer pages than there are means as many as there are.
    limit(1)
    with pytest.raises(JournalUnavailable, match="full"):
        shop.settlement.authorise(
            payment,
            ANNA,
            Money(1240, "EUR"),
            payee="shop",
            terminal="T1",
            identified={**FACTS, "note": "x" * 200_000},
        )
    limit(1_073_741_823)
    shop.pay("p2")
    shop.require_every_cent(1240)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE journal_row SET body = '{}' WHERE sequence = 3", "T1 row 3: was altered"),
        ("UPDATE journal_row SET state = 'captured' WHERE sequence = 2", "T1 row 2: was altered"),
        ("DELETE FROM journal_row WHERE sequence = 3", "T1 row 4: rows 3 to 3 are missing"),
    ],
)
def test_an_altered_or_cut_row_is_named_by_verify(shop: Shop, damage: str, said: str) -> None:
    shop.pay("p1")
    with shop.engine.begin() as connection:
        for verb in ("update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER journal_row_no_{verb}")
        connection.exec_driver_sql(damage)
    problems = [str(problem) for problem in verify_journal(shop.engine, trusted_by(shop.keys)).problems]
    assert any(problem.startswith(said) for problem in problems), problems
