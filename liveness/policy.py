"""Tiers: what must be shown for how much money, and what a merchant may change about it.

| tier | amount (EUR) | required, all of it |
|---|---|---|
| 0 | up to 10 | stream integrity, quality, passive networks |
| 1 | up to 50 | and the flash code, or depth |
| 2 | up to 150 | and the turn of the head, or depth |
| 3 | above | and depth; without it a second factor, which is not liveness's to check |

A consent act (smile, nod or tap) belongs to every tier and is recorded apart, see `liveness.consent`.
A plain colour camera cannot reach tier 3. Merchants may lower ceilings and nothing else. The 50 and
150 follow the contactless limits of the European payment rules (Delegated Regulation (EU) 2018/389,
article 11); they are defaults, not legal advice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from liveness.errors import PolicyInvalid
from liveness.types import CueName, Tier

Alternatives = tuple[CueName, ...]
"""Any one of these cues satisfies the requirement."""

_BASE: tuple[Alternatives, ...] = ((CueName.INTEGRITY,), (CueName.QUALITY,), (CueName.PASSIVE,))
_LIGHT: Alternatives = (CueName.FLASH, CueName.DEPTH)
_RELIEF: Alternatives = (CueName.TURN, CueName.DEPTH)


@dataclass(frozen=True, slots=True)
class TierRule:
    """One tier.

    `ceiling_minor` is the highest amount in minor units of a currency with two decimals, None for no
    ceiling. `accept_from` and `refuse_below` bound the sum of the log-likelihood ratios, in nats.
    """

    tier: Tier
    ceiling_minor: int | None
    required: tuple[Alternatives, ...]
    second_factor: bool = False
    accept_from: float = 0.0
    refuse_below: float = -1.5


DEFAULT_RULES: tuple[TierRule, ...] = (
    TierRule(Tier.ZERO, 1_000, _BASE),
    TierRule(Tier.ONE, 5_000, (*_BASE, _LIGHT)),
    TierRule(Tier.TWO, 15_000, (*_BASE, _LIGHT, _RELIEF)),
    TierRule(Tier.THREE, None, (*_BASE, _LIGHT, _RELIEF, (CueName.DEPTH,)), second_factor=True),
)


@dataclass(frozen=True, slots=True)
class Tries:
    """How long and how often; design values."""

    prompt_ms: float = 8_000.0
    session_ms: float = 20_000.0
    tries_per_sale: int = 3
    shown_within_ms: float = 1_500.0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What besides the amount makes a sale unusual."""

    spot_check: bool = False
    """Drawn for a random few percent of small sales: deters, and measures field rates."""
    unusual: bool = False
    after_refusal: bool = False
    new_device: bool = False


@dataclass(frozen=True, slots=True)
class LivenessPolicy:
    """The tier table in force.

    Raises:
        PolicyInvalid: a tier is missing, out of order, or looser than the default.
    """

    rules: tuple[TierRule, ...] = DEFAULT_RULES
    tries: Tries = Tries()

    def __post_init__(self) -> None:
        if [rule.tier for rule in self.rules] != list(Tier):
            raise PolicyInvalid("the liveness policy needs the tiers 0, 1, 2 and 3, in this order")
        for rule, default in zip(self.rules, DEFAULT_RULES, strict=True):
            _require_not_looser(rule, default)
        ceilings = [rule.ceiling_minor for rule in self.rules if rule.ceiling_minor is not None]
        if ceilings != sorted(ceilings):
            raise PolicyInvalid("the ceilings of the liveness tiers must not fall from tier to tier")

    def rule(self, tier: Tier) -> TierRule:
        """The rule of a tier."""
        return self.rules[tier]

    def tier_for(self, amount_minor: int, circumstances: Circumstances | None = None) -> Tier:
        """The lowest tier that may pay this amount; unusual circumstances raise it."""
        now = circumstances or Circumstances()
        lowest = next(
            rule.tier
            for rule in self.rules
            if rule.ceiling_minor is None or amount_minor <= rule.ceiling_minor
        )
        if now.after_refusal or now.new_device:
            return Tier.THREE
        if now.unusual:
            lowest = max(lowest, Tier.TWO)
        return max(lowest, Tier.ONE) if now.spot_check else lowest

    def ceiling_for(self, level: Tier | None) -> int:
        """The highest amount, minor units, that a reached level may pay by face alone; 0 for none."""
        if level is None or level is Tier.THREE:
            return 0 if level is None else self.rules[Tier.TWO].ceiling_minor or 0
        return self.rules[level].ceiling_minor or 0

    def tightened(self, ceilings: Mapping[Tier, int]) -> LivenessPolicy:
        """The same policy with lower ceilings.

        Raises:
            PolicyInvalid: a ceiling is negative or above the default.
        """
        rules = tuple(
            TierRule(
                rule.tier,
                ceilings.get(rule.tier, rule.ceiling_minor) if rule.ceiling_minor is not None else None,
                rule.required,
                rule.second_factor,
                rule.accept_from,
                rule.refuse_below,
            )
            for rule in self.rules
        )
        return LivenessPolicy(rules, self.tries)


def _require_not_looser(rule: TierRule, default: TierRule) -> None:
    name = f"tier {int(rule.tier)}"
    if default.ceiling_minor is not None and (
        rule.ceiling_minor is None or not 0 <= rule.ceiling_minor <= default.ceiling_minor
    ):
        raise PolicyInvalid(
            f"{name} may pay at most {default.ceiling_minor} minor units; it may only be lowered"
        )
    if not set(default.required) <= set(rule.required):
        raise PolicyInvalid(f"{name} lacks a cue that its default requires")
    if default.second_factor and not rule.second_factor:
        raise PolicyInvalid(f"{name} cannot go without a second factor")
    if rule.accept_from < default.accept_from or rule.refuse_below < default.refuse_below:
        raise PolicyInvalid(f"{name} accepts less evidence than its default")
