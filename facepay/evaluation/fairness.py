"""Error rates per group, for groups the operator supplies; facepay infers none about anybody.

Groups come from a CSV of `identity,group` that people volunteered for a test set. The table gives rates with
intervals, the ratio of the worst to the best, and says in words when the sample is too small to tell
groups apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facepay.errors import InputUnusable
from facepay.evaluation.intervals import Rate, clustered, percent, rule_of_three
from facepay.evaluation.textfiles import opened_text, read_table

SMALLEST = 30
"""Groups with fewer people get a rate and a warning: 0 errors in 30 people still allows 9.5 %."""

MANY = 20
"""Groups beyond which two that are equal lie apart by chance too often to leave it unsaid: of 20 groups of a
hundred people in two of a hundred data sets, of 40 in fifteen."""


@dataclass(frozen=True, slots=True)
class GroupRates:
    """Rates of one group at the deployed threshold."""

    group: str
    people: int
    fnmr: Rate
    fpir: Rate


@dataclass(frozen=True, slots=True)
class FairnessTable:
    """All groups, the worst-to-best ratios (None where a group saw no error) and a plain statement."""

    threshold: float
    groups: tuple[GroupRates, ...]
    fnmr_ratio: float | None
    fpir_ratio: float | None
    statement: str


def load_groups(path: Path) -> dict[str, str]:
    """Read `identity,group` rows.

    Raises:
        InputUnusable: missing columns, an empty cell, or an identity in two groups; names the line.
    """
    groups: dict[str, str] = {}
    with opened_text(path) as stream:
        for line, row in read_table(path, stream, ("identity", "group")):
            identity, group = row["identity"], row["group"]
            if groups.setdefault(identity, group) != group:
                raise InputUnusable(f"{path}:{line}: {identity} is already in group {groups[identity]}")
    return groups


def fairness_table(
    features: npt.NDArray[np.float32],
    identity: Sequence[int],
    names: Sequence[str],
    groups: Mapping[str, str],
    *,
    threshold: float,
    target_fpir: float = 1e-3,
) -> FairnessTable:
    """FNMR and group-wise FPIR at a deployed threshold.

    FPIR of a group is measured as it would be at the counter: each person's probe searches a gallery of the
    first image of everybody else, of all groups.

    Args:
        features: `float32[N, D]`, unit rows.
        identity: for each row the number of its person.
        names: name of each person by number, as in the CSV.
        groups: group of each name; people without one are left out of the table but stay in the gallery.
        threshold: cosine that the terminal uses.
        target_fpir: what that threshold is meant to hold; the statement says whether the sample can show it.

    Raises:
        InputUnusable: no person of the photos is in a group.
    """
    labels = np.asarray(identity)
    require_grouped(groups, names)
    people = [number for number, name in enumerate(names) if name in groups]
    rows = tuple(
        _group_rates(features, labels, name, members, threshold)
        for name in sorted({groups[names[number]] for number in people})
        for members in [np.array([number for number in people if groups[names[number]] == name])]
    )
    return FairnessTable(
        threshold,
        rows,
        _ratio([g.fnmr for g in rows]),
        _ratio([g.fpir for g in rows]),
        f"{_statement(rows)} {_reach(rows, target_fpir)}",
    )


def require_grouped(groups: Mapping[str, str], names: Iterable[str]) -> None:
    """Refuse a group file that speaks of other people than the photos.

    Raises:
        InputUnusable: no person of the photos is in a group.
    """
    if not any(name in groups for name in names):
        raise InputUnusable(
            "no identity of the photos stands in the group file: compare the names of the folders"
        )


def who_stands_outside(names: Sequence[str], groups: Mapping[str, str]) -> tuple[str, ...]:
    """Sentences about people without a group, and about names in the group file without a usable photo."""
    ungrouped = [name for name in names if name not in groups]
    absent = [name for name in groups if name not in set(names)]
    said = []
    if ungrouped:
        said.append(f"Not in the group file, so only searched for and in no group: {_listed(ungrouped)}.")
    if absent:
        said.append(f"In the group file, but without a usable photo: {_listed(absent)}.")
    return tuple(said)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:10])
    return f"{len(names)} people ({shown}{' and others' if len(names) > 10 else ''})"


def _group_rates(
    features: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    name: str,
    members: npt.NDArray[np.int64],
    threshold: float,
) -> GroupRates:
    people, first = np.unique(labels, return_index=True)
    probes = np.flatnonzero(np.isin(labels, members))
    scores = features[probes] @ features[first].T
    own = labels[probes][:, None] == people[None, :]
    falsely = np.where(own, -2, scores).max(axis=1) >= threshold
    repeated = ~np.isin(probes, first)
    missed = scores[own][repeated] < threshold
    return GroupRates(
        name, len(members), clustered(missed, labels[probes][repeated]), clustered(falsely, labels[probes])
    )


def _ratio(rates: Sequence[Rate]) -> float | None:
    values = [rate.value for rate in rates if rate.trials]
    return max(values) / min(values) if len(values) > 1 and min(values) > 0 else None


def _statement(groups: Sequence[GroupRates]) -> str:
    small = [row.group for row in groups if row.people < SMALLEST]
    parts = []
    if len(groups) < 2:
        parts.append("There is only one group, so nothing can be said about differences.")
    if small:
        bound = rule_of_three(min(row.people for row in groups))
        parts.append(
            f"Fewer than {SMALLEST} people in {', '.join(small)}: even without an error seen, a rate of "
            f"{100 * bound:.0f} % is still possible there. Do not conclude that groups are equal."
        )
    alone = [row.group for row in groups if not row.fnmr.trials]
    if alone:
        parts.append(f"Nobody in {', '.join(alone)} has two usable photos, so FNMR is not known there.")
    if len(groups) > 1:
        apart = [
            name
            for name, rates in (("FNMR", [g.fnmr for g in groups]), ("FPIR", [g.fpir for g in groups]))
            if _apart(rates)
        ]
        parts.append(
            f"Intervals of {' and '.join(apart)} do not overlap: the groups differ.{_by_chance(groups)}"
            if apart
            else "All intervals overlap: this sample does not show a difference, nor does it show equality."
        )
    return " ".join(parts)


def _by_chance(groups: Sequence[GroupRates]) -> str:
    many = f" Of {len(groups)} equal groups, two may lie apart by chance: measure those two again."
    return many if len(groups) > MANY else ""


def _reach(groups: Sequence[GroupRates], target_fpir: float) -> str:
    """Whether the target FPIR is within what the smallest group can show at all."""
    smallest = min(groups, key=lambda row: row.people)
    bound = rule_of_three(smallest.people)
    if bound <= target_fpir:
        return f"Each group is large enough to show the target FPIR of {percent(target_fpir)}."
    return (
        f"{smallest.people} people in {smallest.group} can show no rate below {percent(bound)}; to show the "
        f"target FPIR of {percent(target_fpir)} takes about {3 / target_fpir:,.0f} people in each group."
    )


def _apart(rates: Sequence[Rate]) -> bool:
    measured = [rate for rate in rates if rate.trials]
    return bool(measured) and max(rate.low for rate in measured) > min(rate.high for rate in measured)
