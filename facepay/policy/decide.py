"""Asks every rule and takes the strictest answer. No rules, or a rule that fails, refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from facepay.policy.base import FactorRequirement, PolicyInputs, Rule
from facepay.policy.rules import RULES, PolicyTerms


@dataclass(frozen=True, slots=True)
class FactorDecision:
    """What the payment still needs, and which rules asked for it (for the journal, never for the shopper).

    `required` is the strictest requirement over all rules; `missing` is what the shopper has not given
    yet: FACE means nothing is missing.
    """

    required: FactorRequirement
    missing: FactorRequirement
    rules: tuple[str, ...]

    @property
    def satisfied(self) -> bool:
        """Whether the payment may go on now."""
        return self.missing is FactorRequirement.FACE


def default_rules(terms: PolicyTerms) -> tuple[Rule, ...]:
    """The rules of the house on a merchant's terms; a merchant may add to them."""
    return tuple(make(terms) for make in RULES)


def decide(inputs: PolicyInputs, rules: Sequence[Rule]) -> FactorDecision:
    """The strictest requirement of all rules, and what of it is still missing.

    A policy without rules refuses: forgetting to configure one must not make payments free of factors.
    """
    if not rules:
        return FactorDecision(FactorRequirement.REFUSE, FactorRequirement.REFUSE, ("no_rules",))
    verdicts = [rule(inputs) for rule in rules]
    required = max(verdict.requirement for verdict in verdicts)
    named = tuple(v.rule for v in verdicts if v.requirement is required and required)
    return FactorDecision(required, _missing(required, inputs), named)


def _missing(required: FactorRequirement, inputs: PolicyInputs) -> FactorRequirement:
    given = {
        FactorRequirement.FACE: True,
        FactorRequirement.DIGITS: inputs.digits_given or inputs.pin_given,
        FactorRequirement.PIN: inputs.pin_given,
        FactorRequirement.REFUSE: False,
    }
    return FactorRequirement.FACE if given[required] else required
