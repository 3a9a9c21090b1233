"""The factor policy: what a payment by face needs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepay.policy import (
    FactorPreference,
    FactorRequirement,
    PolicyInputs,
    PolicyTerms,
    Rule,
    Spending,
    Verdict,
    decide,
    default_rules,
)
from pos_adapter.types import Money

TERMS = PolicyTerms(currency="EUR")
RULES = default_rules(TERMS)
FACE, DIGITS, PIN, REFUSE = FactorRequirement
EASY = PolicyInputs(
    amount=Money(1240, "EUR"),
    spending=Spending(since_success_s=86_400.0),
    liveness_level=2,
    margin=0.3,
    gallery_size=100,
    first_payment=False,
    look_alike=False,
)


def test_an_easy_payment_takes_the_face_alone() -> None:
    decision = decide(EASY, RULES)
    assert (decision.required, decision.satisfied, decision.rules) == (FACE, True, ())


def test_an_empty_policy_refuses() -> None:
    assert decide(EASY, ()).required is REFUSE


def test_inputs_nobody_filled_in_are_strict() -> None:
    assert decide(PolicyInputs(amount=Money(1, "EUR")), RULES).required is REFUSE


@pytest.mark.parametrize(
    ("change", "required", "rule"),
    [
        ({"amount": Money(5_000, "EUR")}, FACE, None),
        ({"amount": Money(5_001, "EUR")}, PIN, "amount"),
        ({"amount": Money(50_001, "EUR"), "liveness_level": 3}, REFUSE, "ceiling"),
        ({"amount": Money(1240, "USD")}, REFUSE, "currency"),
        ({"amount": Money(0, "EUR")}, REFUSE, "currency"),
        ({"amount": Money(-5, "EUR")}, REFUSE, "currency"),
        ({"liveness_level": 0}, REFUSE, "liveness"),
        ({"liveness_level": 4}, REFUSE, "liveness"),
        ({"liveness_level": -1}, REFUSE, "liveness"),
        ({"liveness_level": 1, "amount": Money(5_001, "EUR")}, PIN, "liveness"),
        ({"liveness_level": 1, "amount": Money(15_001, "EUR")}, REFUSE, "liveness"),
        ({"liveness_level": 2, "amount": Money(15_001, "EUR")}, PIN, "liveness"),
        ({"spending": Spending(13_760, 3, 86_400.0)}, FACE, None),
        ({"spending": Spending(13_761, 3, 86_400.0)}, PIN, "cumulative"),
        ({"spending": Spending(0, 4, 86_400.0)}, FACE, None),
        ({"spending": Spending(0, 5, 86_400.0)}, PIN, "cumulative"),
        ({"first_payment": True}, PIN, "first_payment"),
        ({"look_alike": True}, PIN, "look_alike"),
        ({"margin": 0.079}, PIN, "margin"),
        ({"margin": None}, FACE, None),
        ({"margin": math.nan}, REFUSE, "margin"),
        ({"margin": -0.1}, REFUSE, "margin"),
        ({"gallery_size": 1_000}, FACE, None),
        ({"gallery_size": 1_001}, DIGITS, "gallery"),
        ({"preference": FactorPreference.ALWAYS_DIGITS}, DIGITS, "preference"),
        ({"preference": FactorPreference.ALWAYS_PIN}, PIN, "preference"),
        ({"offline": True}, PIN, "offline"),
        ({"spending": Spending(since_success_s=59.0)}, PIN, "pace"),
        ({"spending": Spending(since_success_s=-5.0)}, PIN, "pace"),
        ({"spending": Spending(since_success_s=181 * 86_400.0)}, PIN, "pace"),
    ],
)
def test_each_rule_asks_for_what_it_should(
    change: dict[str, object], required: FactorRequirement, rule: str | None
) -> None:
    decision = decide(replace(EASY, **change), RULES)  # type: ignore[arg-type]
    assert decision.required is required
    assert rule is None or rule in decision.rules


def test_the_right_pin_satisfies_what_asked_for_a_pin_or_digits() -> None:
    given_pin = replace(EASY, amount=Money(6_000, "EUR"), pin_given=True)
    assert decide(given_pin, RULES).satisfied
    assert decide(replace(EASY, gallery_size=10_000, pin_given=True), RULES).satisfied


def test_digits_do_not_satisfy_what_asked_for_a_pin() -> None:
    decision = decide(replace(EASY, amount=Money(6_000, "EUR"), digits_given=True), RULES)
    assert decision.missing is PIN


def test_no_factor_satisfies_a_refusal() -> None:
    refused = replace(EASY, liveness_level=0, pin_given=True, digits_given=True)
    assert decide(refused, RULES).missing is REFUSE


requirements = st.sampled_from(list(FactorRequirement))


def saying(requirement: FactorRequirement) -> Rule:
    return lambda _: Verdict(requirement, requirement.name)


@given(st.lists(requirements, min_size=1), requirements)
def test_another_rule_never_makes_a_policy_laxer(
    asked: list[FactorRequirement], more: FactorRequirement
) -> None:
    rules = [saying(requirement) for requirement in asked]
    assert decide(EASY, [*rules, saying(more)]).required >= decide(EASY, rules).required


@given(st.integers(1, 60_000), st.integers(0, 20_000), st.integers(0, 9), st.integers(0, 3))
def test_a_higher_amount_never_needs_less(minor: int, spent: int, count: int, level: int) -> None:
    def required(amount: int) -> FactorRequirement:
        spending = Spending(spent, count, 86_400.0)
        inputs = replace(EASY, amount=Money(amount, "EUR"), spending=spending, liveness_level=level)
        return decide(inputs, RULES).required

    assert required(minor + 100) >= required(minor)
