"""Fusion: required cues are ANDed, the rest is a capped sum, and any refusal is the end.

A sum alone would let an attacker buy back a failed cue with a strong one. A required cue that cannot
tell is a non-response and asks for a higher tier; it never counts as a pass. An empty set of results
declines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from liveness.policy import LivenessPolicy, TierRule
from liveness.types import CueName, CueResult, PadStatus, Reason, Status, Tier


@dataclass(frozen=True, slots=True)
class Verdict:
    """Status for the asked tier, the level really reached, and what spoke against."""

    status: PadStatus
    level: Tier | None
    step_up: Tier | None
    llr: float
    reasons: tuple[Reason, ...]


def fuse(results: Mapping[CueName, CueResult], policy: LivenessPolicy, asked: Tier) -> Verdict:
    """Decide one try.

    Args:
        results: one result per cue that was assessed.
        policy: the tier table.
        asked: the tier the amount needs.
    """
    total = sum(result.llr for result in results.values())
    refusing = [result for result in results.values() if result.status is Status.REFUSE]
    if refusing or total < policy.rule(asked).refuse_below:
        reasons = tuple(dict.fromkeys(reason for result in refusing for reason in result.reasons))
        return Verdict(PadStatus.REFUSED, None, None, total, reasons)
    level = _level(results, policy, total)
    if level is not None and level >= asked:
        return Verdict(PadStatus.ACCEPTED, asked, None, total, ())
    reasons = _open_reasons(results, policy.rule(asked))
    step_up = Tier(min(asked + 1, Tier.THREE)) if level is not None or results else None
    return Verdict(PadStatus.NON_RESPONSE, level, step_up, total, reasons)


def satisfied(results: Mapping[CueName, CueResult], rule: TierRule) -> bool:
    """Whether every requirement has at least one cue that said ok."""
    return bool(rule.required) and all(
        any(name in results and results[name].status is Status.OK for name in alternatives)
        for alternatives in rule.required
    )


def _level(results: Mapping[CueName, CueResult], policy: LivenessPolicy, total: float) -> Tier | None:
    reached = [rule.tier for rule in policy.rules if satisfied(results, rule) and total >= rule.accept_from]
    return max(reached, default=None)


def _open_reasons(results: Mapping[CueName, CueResult], rule: TierRule) -> tuple[Reason, ...]:
    """Why each unmet requirement is unmet, from the first of its alternatives that was assessed."""
    found: dict[Reason, None] = {}
    for alternatives in rule.required:
        known = [results[name] for name in alternatives if name in results]
        if any(result.status is Status.OK for result in known):
            continue
        for reason in known[0].reasons if known else (Reason.NOT_MEASURED,):
            found.setdefault(reason)
    return tuple(found)
