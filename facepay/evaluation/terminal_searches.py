"""Searches as the terminal makes them: several references a person, its own threshold, and its margin.

`identification` asks what a recogniser can do at thresholds that are found on the data itself. Here nothing
is found on the data: the calibration gives the threshold for as many references as are compared, and a second
person who comes too near ends the search without an answer, as at the counter. Everybody is searched, as if
no digits were asked for, and with one photo, where a capture has the mean of its best frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facepay.evaluation.intervals import Rate, clustered
from facepay.recognition.calibration import Calibration

SIZES = (10, 100, 1_000)
"""For how many people searches are made."""

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SearchRules:
    """How the terminal searches: references a person, target FPIR 0..1, least lead over the second."""

    samples: int
    target_fpir: float
    margin: float


@dataclass(frozen=True, slots=True)
class TerminalSearch:
    """One size of gallery: strangers taken for somebody, enrolled people not found, and taken for another."""

    people: int
    references: int
    threshold: float
    extrapolated: bool
    strangers: Rate
    not_found: Rate
    taken_for_another: Rate


def search_as_the_terminal(
    features: Floats,
    identity: Sequence[int],
    calibration: Calibration,
    rules: SearchRules,
    *,
    sizes: Sequence[int] = SIZES,
    seed: int = 20261122,
) -> tuple[TerminalSearch, ...]:
    """Search galleries of several sizes; sizes that leave no stranger or nobody to find are left out."""
    labels = np.asarray(identity)
    people, count = np.unique(labels, return_counts=True)
    found = []
    for size in sizes:
        random = np.random.default_rng(seed)
        # People with photos to spare come first, so that a small gallery is searched for them.
        order = np.concatenate(
            [random.permutation(people[count > 1]), random.permutation(people[count == 1])]
        )
        if size < len(people) and (count > 1).any():
            found.append(_search(features, labels, np.sort(order[:size]), calibration, rules))
    return tuple(found)


def _search(
    features: Floats, labels: Numbers, enrolled: Numbers, calibration: Calibration, rules: SearchRules
) -> TerminalSearch:
    rows = [_references(labels, person, rules.samples) for person in enrolled]
    references = np.concatenate(rows)
    probes = np.setdiff1d(np.arange(len(labels)), references)
    threshold = calibration.threshold_for(len(references), rules.target_fpir)
    starts = np.cumsum([0, *(len(own) for own in rows[:-1])])
    best = np.maximum.reduceat(features[probes] @ features[references].T, starts, axis=1)
    top = best.argmax(axis=1)
    scores = np.sort(best, axis=1)
    lead = scores[:, -1] - scores[:, -2] if len(enrolled) > 1 else np.full(len(probes), np.inf)
    answered = (scores[:, -1] >= threshold.score) & (lead >= rules.margin)
    who = labels[probes]
    known = np.isin(who, enrolled)
    right = enrolled[top] == who
    return TerminalSearch(
        len(enrolled),
        len(references),
        threshold.score,
        threshold.extrapolated,
        strangers=clustered(answered[~known], who[~known]),
        not_found=clustered(~answered[known], who[known]),
        taken_for_another=clustered((answered & ~right)[known], who[known]),
    )


def _references(labels: Numbers, person: int, samples: int) -> Numbers:
    """Rows that somebody is enrolled with: the first ones; of two or more, one is left to search with."""
    own = np.flatnonzero(labels == person)
    return own[: max(1, min(samples, len(own) - 1))]
