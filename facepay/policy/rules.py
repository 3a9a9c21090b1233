"""The rules. Each is made from the merchant's terms and answers one question.

The defaults 50 / 150 / 5 follow the contactless exemption of the EU's strong customer authentication
(Delegated Regulation (EU) 2018/389, article 11): at most EUR 50 each, then EUR 150 in sum or five
payments since the last strong factor. They apply in the units of the terminal's own currency.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from facepay.policy.base import FactorPreference, FactorRequirement, PolicyInputs, Rule, Verdict

FACE, DIGITS, PIN, REFUSE = FactorRequirement


MOST_MISSED = 0.2
"""Share of single photos of an enrolled payer that a search without digits may miss before digits are
asked for. A sale compares several frames with several references and misses fewer; beyond this, too many
shoppers would stand before a terminal that does not know them."""


UNMEASURED_GALLERY = 1_000
"""The same for a pack of whose misses nothing is known."""


@dataclass(frozen=True, slots=True)
class PolicyTerms:
    """What the merchant has set; amounts in minor units of the terminal's currency.

    `ceilings_minor` gives for each liveness level 0..3 the most a payment may be when no more than that
    level was reached; level 0 (nothing proven) takes no money. `digits_gallery` is the number of
    compared identities above which digits narrow the search first. `quick_repeat_s` is how soon after a
    success another payment is odd enough to ask for the PIN.
    """

    currency: str
    face_only_minor: int = 5_000
    cumulative_minor: int = 15_000
    payments_before_pin: int = 5
    ceiling_minor: int = 50_000
    ceilings_minor: tuple[int, int, int, int] = (0, 5_000, 15_000, 50_000)
    margin: float = 0.08
    digits_gallery: int = UNMEASURED_GALLERY
    quick_repeat_s: float = 60.0
    dormant_s: float = field(default=180 * 86_400.0)
    offline_requirement: FactorRequirement = FactorRequirement.PIN


def currency_rule(terms: PolicyTerms) -> Rule:
    """Refuse an amount that is not above 0 or not in the terminal's currency."""

    def rule(inputs: PolicyInputs) -> Verdict:
        fits = inputs.amount.currency == terms.currency and inputs.amount.minor > 0
        return Verdict(FACE if fits else REFUSE, "currency")

    return rule


def ceiling_rule(terms: PolicyTerms) -> Rule:
    """Refuse what is above the merchant's ceiling for a payment by face, whatever the factor."""

    def rule(inputs: PolicyInputs) -> Verdict:
        return Verdict(REFUSE if inputs.amount.minor > terms.ceiling_minor else FACE, "ceiling")

    return rule


def liveness_rule(terms: PolicyTerms) -> Rule:
    """Cap the amount by the liveness level; the PIN makes up for one level that was not reached.

    Where a cue cannot tell (no light, a small screen) the shopper steps up to the PIN, which reaches as far
    as the next level's face alone, and from level 2 on as far as any payment here. A level that proves
    nothing, or is unknown, takes no money whatever is added.
    """
    ceilings = terms.ceilings_minor
    with_pin = (ceilings[1], ceilings[2], terms.ceiling_minor, terms.ceiling_minor)

    def rule(inputs: PolicyInputs) -> Verdict:
        level, amount = inputs.liveness_level, inputs.amount.minor
        if not 0 <= level < len(ceilings) or not ceilings[level]:
            return Verdict(REFUSE, "liveness")
        if amount <= ceilings[level]:
            return Verdict(FACE, "liveness")
        return Verdict(PIN if amount <= with_pin[level] else REFUSE, "liveness")

    return rule


def amount_rule(terms: PolicyTerms) -> Rule:
    """Ask for the PIN above the amount the face alone may pay."""

    def rule(inputs: PolicyInputs) -> Verdict:
        return Verdict(PIN if inputs.amount.minor > terms.face_only_minor else FACE, "amount")

    return rule


def cumulative_rule(terms: PolicyTerms) -> Rule:
    """Ask for the PIN once sum or count since the last PIN would pass the merchant's limits."""

    def rule(inputs: PolicyInputs) -> Verdict:
        total = inputs.spending.since_pin_minor + inputs.amount.minor
        used_up = inputs.spending.payments_since_pin >= terms.payments_before_pin
        return Verdict(PIN if used_up or total > terms.cumulative_minor else FACE, "cumulative")

    return rule


def first_payment_rule(_: PolicyTerms) -> Rule:
    """Two-stage enrolment: the first payment always takes the PIN chosen at enrolment."""
    return lambda inputs: Verdict(PIN if inputs.first_payment else FACE, "first_payment")


def look_alike_rule(_: PolicyTerms) -> Rule:
    """Somebody enrolled here looks much the same (a twin): the face alone never pays."""
    return lambda inputs: Verdict(PIN if inputs.look_alike else FACE, "look_alike")


def margin_rule(terms: PolicyTerms) -> Rule:
    """A near second identity takes the PIN; a margin that is no number is refused: the search is broken."""

    def rule(inputs: PolicyInputs) -> Verdict:
        if inputs.margin is None:
            return Verdict(FACE, "margin")
        if not 0.0 <= inputs.margin <= 2.0:
            return Verdict(REFUSE, "margin")
        return Verdict(PIN if inputs.margin < terms.margin else FACE, "margin")

    return rule


def gallery_rule(terms: PolicyTerms) -> Rule:
    """A big gallery makes a false match likely: digits narrow it before the comparison."""

    def rule(inputs: PolicyInputs) -> Verdict:
        wide = inputs.gallery_size > terms.digits_gallery
        return Verdict(DIGITS if wide else FACE, "gallery")

    return rule


def preference_rule(_: PolicyTerms) -> Rule:
    """The shopper's own choice can only make it stricter."""
    asked = {
        FactorPreference.NONE: FACE,
        FactorPreference.ALWAYS_DIGITS: DIGITS,
        FactorPreference.ALWAYS_PIN: PIN,
    }
    return lambda inputs: Verdict(asked[inputs.preference], "preference")


def offline_rule(terms: PolicyTerms) -> Rule:
    """Without the provider nobody else checks the account."""
    return lambda inputs: Verdict(terms.offline_requirement if inputs.offline else FACE, "offline")


def pace_rule(terms: PolicyTerms) -> Rule:
    """Ask for the PIN right after a success, and after a long absence (faces change, accounts are sold)."""

    def rule(inputs: PolicyInputs) -> Verdict:
        since_s = inputs.spending.since_success_s
        odd = since_s is not None and not terms.quick_repeat_s <= since_s <= terms.dormant_s
        return Verdict(PIN if odd else FACE, "pace")

    return rule


RULES = (
    currency_rule,
    ceiling_rule,
    liveness_rule,
    amount_rule,
    cumulative_rule,
    first_payment_rule,
    look_alike_rule,
    margin_rule,
    gallery_rule,
    preference_rule,
    offline_rule,
    pace_rule,
)
"""Makers of the rules every merchant starts with."""
