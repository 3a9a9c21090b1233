"""Tiers, money and how cues are joined."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveness.errors import PolicyInvalid
from liveness.fusion import fuse
from liveness.policy import DEFAULT_RULES, Circumstances, LivenessPolicy
from liveness.types import CueName, CueResult, PadStatus, Reason, Status, Tier

POLICY = LivenessPolicy()
BASE = (CueName.INTEGRITY, CueName.QUALITY, CueName.PASSIVE)


def results(*ok: CueName, **others: Status) -> dict[CueName, CueResult]:
    made = {name: CueResult(name, Status.OK, score=0.9) for name in ok}
    for name, status in others.items():
        cue = CueName[name]
        made[cue] = CueResult(cue, status, reasons=(Reason.UNCERTAIN,))
    return made


@pytest.mark.parametrize(
    ("amount", "tier"), [(1, 0), (1000, 0), (1001, 1), (5000, 1), (5001, 2), (15000, 2), (15001, 3)]
)
def test_amount_chooses_the_tier(amount: int, tier: int) -> None:
    assert POLICY.tier_for(amount) == tier


def test_circumstances_only_raise_the_tier() -> None:
    assert POLICY.tier_for(100, Circumstances(spot_check=True)) is Tier.ONE
    assert POLICY.tier_for(100, Circumstances(unusual=True)) is Tier.TWO
    assert POLICY.tier_for(100, Circumstances(after_refusal=True)) is Tier.THREE


def test_merchant_may_lower_a_ceiling() -> None:
    assert POLICY.tightened({Tier.ZERO: 500}).tier_for(600) is Tier.ONE


@pytest.mark.parametrize("ceiling", [1001, -1])
def test_merchant_may_not_raise_a_ceiling(ceiling: int) -> None:
    with pytest.raises(PolicyInvalid, match="tier 0"):
        POLICY.tightened({Tier.ZERO: ceiling})


def test_missing_or_weaker_rules_are_refused() -> None:
    with pytest.raises(PolicyInvalid):
        LivenessPolicy(())
    weaker = replace(DEFAULT_RULES[1], required=DEFAULT_RULES[0].required)
    with pytest.raises(PolicyInvalid, match="tier 1 lacks"):
        LivenessPolicy((DEFAULT_RULES[0], weaker, *DEFAULT_RULES[2:]))
    alone = replace(DEFAULT_RULES[3], second_factor=False)
    with pytest.raises(PolicyInvalid, match="second factor"):
        LivenessPolicy((*DEFAULT_RULES[:3], alone))


def test_empty_evidence_declines() -> None:
    verdict = fuse({}, POLICY, Tier.ZERO)
    assert verdict.status is PadStatus.NON_RESPONSE
    assert verdict.level is None


def test_all_required_cues_accept() -> None:
    verdict = fuse(results(*BASE, CueName.FLASH), POLICY, Tier.ONE)
    assert (verdict.status, verdict.level) == (PadStatus.ACCEPTED, Tier.ONE)


def test_depth_stands_in_for_light_and_turn() -> None:
    verdict = fuse(results(*BASE, CueName.DEPTH), POLICY, Tier.THREE)
    assert verdict.level is Tier.THREE


def test_strong_cue_never_buys_back_a_refused_one() -> None:
    made = results(*BASE, CueName.FLASH)
    made[CueName.FLASH] = replace(made[CueName.FLASH], llr=50.0)
    made[CueName.PASSIVE] = CueResult(CueName.PASSIVE, Status.REFUSE, reasons=(Reason.LOOKS_LIKE_INSTRUMENT,))
    verdict = fuse(made, POLICY, Tier.ONE)
    assert (verdict.status, verdict.level) == (PadStatus.REFUSED, None)


def test_required_cue_that_abstains_steps_up() -> None:
    verdict = fuse(results(*BASE, FLASH=Status.ABSTAIN), POLICY, Tier.ONE)
    assert (verdict.status, verdict.level, verdict.step_up) == (PadStatus.NON_RESPONSE, Tier.ZERO, Tier.TWO)


def test_sum_below_the_limit_refuses() -> None:
    made = results(*BASE)
    made[CueName.SPECTRUM] = CueResult(CueName.SPECTRUM, Status.ABSTAIN, llr=-2.0)
    assert fuse(made, POLICY, Tier.ZERO).status is PadStatus.REFUSED


def test_negative_sum_is_not_accepted() -> None:
    made = results(*BASE)
    made[CueName.SPECTRUM] = CueResult(CueName.SPECTRUM, Status.ABSTAIN, llr=-0.5)
    assert fuse(made, POLICY, Tier.ZERO).status is PadStatus.NON_RESPONSE


@given(
    st.dictionaries(
        st.sampled_from(CueName),
        st.tuples(st.sampled_from(Status), st.floats(-5, 50)),
    ),
    st.sampled_from(Tier),
)
def test_nothing_is_accepted_without_all_required_cues(
    evidence: dict[CueName, tuple[Status, float]], tier: Tier
) -> None:
    made = {name: CueResult(name, status, llr=llr) for name, (status, llr) in evidence.items()}
    verdict = fuse(made, POLICY, tier)
    ok = {name for name, result in made.items() if result.status is Status.OK}
    complete = all(ok.intersection(alternatives) for alternatives in POLICY.rule(tier).required)
    refused = any(result.status is Status.REFUSE for result in made.values())
    if verdict.status is PadStatus.ACCEPTED:
        assert complete
        assert not refused
    if CueName.DEPTH not in ok:
        assert verdict.level is not Tier.THREE


def test_level_bounds_the_money() -> None:
    assert [POLICY.ceiling_for(level) for level in (None, *Tier)] == [0, 1_000, 5_000, 15_000, 15_000]
