"""What a payment by face needs before money is asked for: small rules, the strictest wins."""

from facepay.policy.base import (
    FactorPreference,
    FactorRequirement,
    PolicyInputs,
    Rule,
    Spending,
    Standing,
    Verdict,
)
from facepay.policy.decide import FactorDecision, decide, default_rules
from facepay.policy.rules import MOST_MISSED, UNMEASURED_GALLERY, PolicyTerms

__all__ = [
    "MOST_MISSED",
    "UNMEASURED_GALLERY",
    "FactorDecision",
    "FactorPreference",
    "FactorRequirement",
    "PolicyInputs",
    "PolicyTerms",
    "Rule",
    "Spending",
    "Standing",
    "Verdict",
    "decide",
    "default_rules",
]
