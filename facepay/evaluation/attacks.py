"""Presentation attack detection rates after ISO/IEC 30107-3:2023.

APCER is given per species and for the worst of them, never as an average; non-response is counted apart;
RIAPAR joins the recogniser's refusals with the attacks that pass and match. One trial is one clip or one
picture, never one frame. Real, simulated and integrity trials are three tables that never merge.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from facepay.evaluation.intervals import Rate, wilson


class Evidence(Enum):
    """Where trials come from; rates of different kinds are never put into one table."""

    REAL = "real"
    SIMULATED = "simulated"
    INTEGRITY = "integrity"


class TrialStatus(Enum):
    """How a liveness try ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NON_RESPONSE = "non-response"


@dataclass(frozen=True, slots=True)
class Trial:
    """One presentation: `species` is None for a bona fide one; `matched` whether the victim was recognised.

    `cue` is the cue that judged, or "all" for the whole decision at `level`.
    """

    subject: str
    species: str | None
    status: TrialStatus
    level: int
    cue: str = "all"
    evidence: Evidence = Evidence.REAL
    matched: bool | None = None


@dataclass(frozen=True, slots=True)
class Riapar:
    """Worst species' attacks that pass and match, plus bona fides turned away: 0..2, with 95 % bounds."""

    species: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class AttackRates:
    """Rates of one level and cue on one kind of evidence.

    `apcer` and `attack_non_response` are keyed by species. `riapar` is None unless every accepted trial says
    whether it matched.
    """

    level: int
    cue: str
    evidence: Evidence
    apcer: dict[str, Rate]
    bpcer: Rate
    attack_non_response: dict[str, Rate]
    bona_fide_non_response: Rate
    riapar: Riapar | None

    @property
    def worst(self) -> tuple[str, Rate] | None:
        """The species with the highest APCER, the one that counts; by upper bound where rates are equal."""
        if not self.apcer:
            return None
        return max(self.apcer.items(), key=lambda item: (item[1].value, item[1].high))


@dataclass(frozen=True, slots=True)
class LevelRates:
    """Rates of one level on one kind of evidence: of the decision, and of each cue that judged anything.

    `mute` are the cues that judged nothing, which recordings cannot answer for instance.
    """

    evidence: Evidence
    level: int
    whole: AttackRates | None
    cues: tuple[AttackRates, ...]
    mute: tuple[str, ...]


def by_level(rates: Sequence[AttackRates]) -> tuple[LevelRates, ...]:
    """Rates put together by evidence and level, in the order in which they come."""
    levels: dict[tuple[Evidence, int], list[AttackRates]] = {}
    for one in rates:
        levels.setdefault((one.evidence, one.level), []).append(one)
    return tuple(_level(*key, group) for key, group in levels.items())


def _level(evidence: Evidence, level: int, group: Sequence[AttackRates]) -> LevelRates:
    whole = next((one for one in group if one.cue == "all"), None)
    cues = [one for one in group if one is not whole]
    judged = [one for one in cues if any(accepted or refused for accepted, refused, _ in fates(one).values())]
    mute = tuple(one.cue for one in cues if one not in judged)
    return LevelRates(evidence, level, whole, tuple(judged), mute)


def fates(rates: AttackRates) -> dict[str, tuple[int, int, int]]:
    """How many presentations were accepted, refused and not judged: bona fide ones first, then by species."""
    bona_fide, mute = rates.bpcer, rates.bona_fide_non_response.errors
    rows = {"bona fide": (bona_fide.trials - bona_fide.errors - mute, bona_fide.errors, mute)}
    for species, rate in rates.apcer.items():
        mute = rates.attack_non_response[species].errors
        rows[species] = (rate.errors, rate.trials - rate.errors - mute, mute)
    return rows


def attack_rates(trials: Iterable[Trial]) -> tuple[AttackRates, ...]:
    """One set of rates for each evidence, level and cue that occurs."""
    groups: dict[tuple[str, int, str], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.evidence.value, trial.level, trial.cue), []).append(trial)
    return tuple(_rates(group) for _, group in sorted(groups.items()))


def not_compared(trials: Iterable[Trial]) -> list[str]:
    """Subjects with accepted trials of which nobody knows whether they match, so that RIAPAR is not known."""
    whole = (trial for trial in trials if trial.cue == "all" and trial.status is TrialStatus.ACCEPTED)
    return sorted({trial.subject for trial in whole if trial.matched is None})


def _rates(trials: Sequence[Trial]) -> AttackRates:
    bona_fide = [trial for trial in trials if trial.species is None]
    species = sorted({trial.species for trial in trials if trial.species is not None})
    attacks = {name: [trial for trial in trials if trial.species == name] for name in species}
    first = trials[0]
    return AttackRates(
        first.level,
        first.cue,
        first.evidence,
        {name: _share(group, TrialStatus.ACCEPTED) for name, group in attacks.items()},
        _share(bona_fide, TrialStatus.REFUSED),
        {name: _share(group, TrialStatus.NON_RESPONSE) for name, group in attacks.items()},
        _share(bona_fide, TrialStatus.NON_RESPONSE),
        _riapar(bona_fide, attacks),
    )


def _share(trials: Sequence[Trial], status: TrialStatus) -> Rate:
    return wilson(sum(trial.status is status for trial in trials), len(trials))


def _riapar(bona_fide: Sequence[Trial], attacks: dict[str, list[Trial]]) -> Riapar | None:
    everyone = [*bona_fide, *(trial for group in attacks.values() for trial in group)]
    accepted = [trial for trial in everyone if trial.status is TrialStatus.ACCEPTED]
    if not bona_fide or not attacks or any(trial.matched is None for trial in accepted):
        return None
    through = {name: _rate_through(group) for name, group in attacks.items()}
    worst = max(through, key=lambda name: (through[name].value, through[name].high))
    return _sum(worst, through[worst], _rate_through(bona_fide))


def _rate_through(trials: Sequence[Trial]) -> Rate:
    return wilson(
        sum(trial.status is TrialStatus.ACCEPTED and bool(trial.matched) for trial in trials), len(trials)
    )


def _sum(species: str, attack: Rate, genuine: Rate) -> Riapar:
    """Interval of a sum of two independent rates by square-and-add (Newcombe 1998), with Wilson's bounds."""
    value = attack.value + 1 - genuine.value
    below = math.hypot(attack.value - attack.low, genuine.high - genuine.value)
    above = math.hypot(attack.high - attack.value, genuine.value - genuine.low)
    return Riapar(species, value, max(0.0, value - below), min(2.0, value + above))
