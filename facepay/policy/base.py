"""The inputs of the factor policy and its answers. Pure values; nothing here asks a clock or a database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import NamedTuple

from pos_adapter.types import Money


class FactorRequirement(IntEnum):
    """What the shopper has to add to the face; a higher value is stricter."""

    FACE = 0
    DIGITS = 1
    PIN = 2
    REFUSE = 3


class FactorPreference(Enum):
    """What the shopper asked for at enrolment; it can only make the policy stricter."""

    NONE = "none"
    ALWAYS_DIGITS = "always_digits"
    ALWAYS_PIN = "always_pin"


@dataclass(frozen=True, slots=True)
class Spending:
    """What the account has spent by face alone or with digits since its last PIN, in minor units."""

    since_pin_minor: int = 0
    payments_since_pin: int = 0
    since_success_s: float | None = None
    """Seconds since the account's last approved payment here; None where there was none."""


class Standing(NamedTuple):
    """What is on record of an account when a payment is decided."""

    spending: Spending
    preference: FactorPreference


@dataclass(frozen=True, slots=True)
class PolicyInputs:
    """Everything the rules may look at.

    `liveness_level` is 0..3 as `liveness.PadResult.level` says. `margin` is best minus second-best
    similarity, None where nobody else is enrolled. `gallery_size` is how many identities were compared:
    after digits that is the few who share them. `digits_given` says the shopper has entered the right
    last digits already, `pin_given` the right PIN.
    """

    amount: Money
    spending: Spending = field(default_factory=Spending)
    liveness_level: int = 0
    margin: float | None = field(default=None, repr=False)
    gallery_size: int = 1
    first_payment: bool = True
    look_alike: bool = True
    preference: FactorPreference = FactorPreference.NONE
    offline: bool = False
    digits_given: bool = False
    pin_given: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule asks for, and its name for the journal."""

    requirement: FactorRequirement
    rule: str


Rule = Callable[[PolicyInputs], Verdict]
"""One rule: looks at the inputs, answers what it asks for; it has no memory and no side effect."""
