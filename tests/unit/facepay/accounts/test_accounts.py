"""An account at the checkout: limits, spending, PIN."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import Engine

from facepay.accounts import AccountLimits, Accounts, Choices, LockedOut, MerchantLimits
from facepay.errors import DatabaseFault, FactorFailed, LimitExceeded
from facepay.journal import Journal, Opening, State
from facepay.outcomes import outcome_of
from facepay.policy import FactorPreference, Spending
from facepay.psp.base import PayerToken
from keys.keystore_memory import MemoryKeyStore
from keys.passphrase import FLOOR
from pos_adapter.types import Money, TransactionId

NOON = 1_763_812_800_000
DAY_MS = 86_400_000


class Till:
    """Accounts and a journal on one clock."""

    def __init__(self, engine: Engine) -> None:
        self.now_ms = NOON
        self.numbers = itertools.count(1)
        self.journal = Journal(engine, chain="T1", now_ms=self.clock)
        limits = MerchantLimits(payment_minor=50_000, day_minor=60_000, day_payments=6)
        self.accounts = Accounts(
            engine,
            MemoryKeyStore(),
            terminal="T1",
            merchant="shop",
            now_ms=self.clock,
            limits=limits,
            pin_cost=FLOOR,
        )
        self.accounts.enrol("anna", "4711")

    def clock(self) -> int:
        return self.now_ms

    def pay(self, minor: int, factor: str = "face", *ends: State) -> None:
        payment = TransactionId(f"p{next(self.numbers)}")
        self.journal.begin(Opening(payment, f"request-{payment}", "f", Money(minor, "EUR")))
        self.journal.advance(payment, State.IDENTIFIED, facts={"account": "anna", "factor": factor})
        for state in ends or (State.AUTHORISING, State.AUTHORISED, State.ANNOUNCED):
            self.journal.advance(payment, state)

    def usable(self, minor: int) -> None:
        self.accounts.require_usable("anna", Money(minor, "EUR"))


@pytest.fixture
def till(engine: Engine) -> Till:
    return Till(engine)


def test_a_new_account_has_spent_nothing(till: Till) -> None:
    assert till.accounts.standing("anna").spending == Spending()
    assert till.accounts.standing("anna").spending.since_success_s is None


def test_spending_adds_up_since_the_last_pin(till: Till) -> None:
    till.pay(900, "pin")
    for minor in (100, 200):
        till.pay(minor)
    till.now_ms += 5_000
    assert till.accounts.standing("anna").spending == Spending(300, 2, 5.0)
    assert till.accounts.standing("anna").spending.since_success_s is not None


def test_what_was_not_paid_is_not_spent(till: Till) -> None:
    till.pay(100, "face", State.DECLINED)
    till.pay(100, "face", State.AUTHORISING, State.VOIDING, State.VOIDED)
    assert till.accounts.standing("anna").spending == Spending()


def test_a_payment_whose_outcome_is_open_counts_as_spent(till: Till) -> None:
    till.pay(100, "face", State.AUTHORISING, State.UNKNOWN)
    assert till.accounts.standing("anna").spending.since_pin_minor == 100


def test_the_merchants_limits_bind(till: Till) -> None:
    till.usable(50_000)
    with pytest.raises(LimitExceeded, match="one payment"):
        till.usable(50_001)
    till.pay(50_000)
    till.usable(10_000)
    with pytest.raises(LimitExceeded, match="a day"):
        till.usable(10_001)


def test_a_days_number_of_payments_is_limited(till: Till) -> None:
    for _ in range(6):
        till.pay(1)
    with pytest.raises(LimitExceeded, match="payments"):
        till.usable(1)
    till.now_ms += DAY_MS
    till.usable(1)


def test_the_shoppers_own_limits_bind_and_can_only_be_stricter(till: Till) -> None:
    till.accounts.choose("anna", Choices(AccountLimits(payment_minor=2_000, day_minor=3_000)))
    till.usable(2_000)
    with pytest.raises(LimitExceeded):
        till.usable(2_001)
    till.pay(2_000)
    with pytest.raises(LimitExceeded):
        till.usable(1_001)
    till.accounts.choose("anna", Choices(AccountLimits(payment_minor=10**9)))
    with pytest.raises(LimitExceeded):
        till.usable(50_001)


def test_a_clock_set_back_gives_no_second_day(till: Till) -> None:
    till.pay(50_000)
    till.now_ms -= DAY_MS
    with pytest.raises(LimitExceeded):
        till.usable(10_001)


def test_the_right_pin_passes_and_a_wrong_one_fails(till: Till) -> None:
    till.accounts.require_pin("anna", "4711")
    with pytest.raises(FactorFailed, match="PIN does not fit"):
        till.accounts.require_pin("anna", "4712")


def test_five_wrong_pins_lock_even_the_right_one_with_the_same_words(till: Till) -> None:
    texts = set()
    for pin in ("0000",) * 5 + ("4711",):
        with pytest.raises(FactorFailed) as caught:
            till.accounts.require_pin("anna", pin)
        texts.add(str(caught.value))
    assert len(texts) == 1
    with pytest.raises(LockedOut):
        till.usable(1)


def test_an_unknown_account_and_one_without_a_pin_fail_like_a_wrong_pin(till: Till) -> None:
    till.accounts.enrol("bert", None)
    rows = set()
    for account in ("anna", "bert", "nobody"):
        with pytest.raises(FactorFailed) as caught:
            till.accounts.require_pin(account, "0000")
        rows.add((str(caught.value), outcome_of(caught.value)))
    assert len(rows) == 1


def test_a_lockout_answers_like_a_stranger() -> None:
    from facepay.errors import NoMatch

    assert outcome_of(LockedOut()) == outcome_of(NoMatch())


def test_enrolling_anew_turns_the_face_on_again(till: Till) -> None:
    for _ in range(50):
        till.accounts.note_failure("anna")
    till.now_ms += DAY_MS
    with pytest.raises(LockedOut):
        till.usable(1)
    till.accounts.enrol("anna", "0815")
    till.usable(1)
    till.accounts.require_pin("anna", "0815")


def test_strangers_make_the_terminal_wait_until_somebody_succeeds(till: Till) -> None:
    for _ in range(10):
        till.accounts.note_failure()
    with pytest.raises(LockedOut):
        till.accounts.require_place_open()
    till.accounts.note_success("anna")
    till.accounts.require_place_open()


def test_an_account_without_a_row_always_takes_the_pin(till: Till) -> None:
    assert till.accounts.standing("nobody").preference is FactorPreference.ALWAYS_PIN
    till.accounts.enrol("bert", "1234", preference=FactorPreference.ALWAYS_DIGITS)
    assert till.accounts.standing("bert").preference is FactorPreference.ALWAYS_DIGITS


def test_an_account_pays_through_what_was_put_on_file(till: Till) -> None:
    assert till.accounts.payer("anna") == "anna"
    till.accounts.set_payer("anna", PayerToken("cus_1/pm_1"))
    assert till.accounts.payer("anna") == "cus_1/pm_1"
    assert till.accounts.payer("nobody") == "nobody"


def test_a_forgotten_account_leaves_nothing(till: Till) -> None:
    till.accounts.forget("anna")
    with pytest.raises(FactorFailed):
        till.accounts.require_pin("anna", "4711")
    assert till.accounts.standing("anna").preference is FactorPreference.ALWAYS_PIN


def test_a_locked_database_is_a_fault_with_advice(till: Till, engine: Engine) -> None:
    with engine.connect() as other, other.begin(), pytest.raises(DatabaseFault, match="another process"):
        till.accounts.note_failure("anna")


def test_a_shopper_may_always_be_asked_for_the_code(till: Till) -> None:
    till.accounts.choose("anna", Choices(preference=FactorPreference.ALWAYS_PIN))
    assert till.accounts.standing("anna").preference is FactorPreference.ALWAYS_PIN
    assert till.accounts.choices("nobody").preference is FactorPreference.ALWAYS_PIN


@pytest.mark.parametrize("limits", [AccountLimits(payment_minor=0), AccountLimits(day_minor=-1)])
def test_a_limit_of_nothing_is_refused_and_changes_nothing(till: Till, limits: AccountLimits) -> None:
    before = till.accounts.choices("anna")
    with pytest.raises(LimitExceeded, match="above 0"):
        till.accounts.choose("anna", Choices(limits))
    assert till.accounts.choices("anna") == before
