"""1:N error rates in the open set: FNIR at a given FPIR, for galleries of several sizes.

A *mated* search is by somebody who is in the gallery, a *non-mated* one by somebody who is not. FPIR is the
share of non-mated searches that return anybody; FNIR the share of mated searches that do not return their
person (ISO/IEC 19795-1:2021, 9.5). The gallery holds the first image of each person; all others are probes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facepay.evaluation.intervals import Rate, clustered

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class OpenSetPoint:
    """One line of the table: gallery size, target FPIR, the threshold it took and both rates.

    `supported` is false where fewer than ten searches by strangers may return somebody at the target.
    """

    gallery: int
    target: float
    threshold: float
    fpir: Rate
    fnir: Rate
    supported: bool


@dataclass(frozen=True, slots=True)
class _Searches:
    """Best score and searcher of each search; for mated ones whether the best was the right person."""

    mated: Floats
    mated_identity: npt.NDArray[np.int64]
    right: npt.NDArray[np.bool_]
    non_mated: Floats
    non_mated_identity: npt.NDArray[np.int64]


def open_set(
    features: Floats,
    identity: Sequence[int],
    *,
    sizes: Sequence[int],
    targets: Sequence[float],
    seed: int = 20261122,
) -> tuple[OpenSetPoint, ...]:
    """Measure FNIR at FPIR for each gallery size and target.

    Sizes for which there are not enough people, with somebody left over as a stranger, are left out.
    """
    labels = np.asarray(identity)
    points: list[OpenSetPoint] = []
    for size in sizes:
        searches = _search(features, labels, size, np.random.default_rng(seed))
        if searches is not None:
            points.extend(_point(searches, size, target) for target in targets)
    return tuple(points)


def _search(
    features: Floats, labels: npt.NDArray[np.int64], size: int, random: np.random.Generator
) -> _Searches | None:
    people, first, count = np.unique(labels, return_index=True, return_counts=True)
    repeated = people[count > 1]
    if size >= len(people):
        return None
    # People with probes come first, so that a small gallery still has mated searches.
    order = np.concatenate([random.permutation(repeated), random.permutation(people[count == 1])])
    enrolled = order[:size]
    gallery_rows = first[np.searchsorted(people, enrolled)]
    probes = np.setdiff1d(np.arange(len(labels)), gallery_rows)
    scores = features[probes] @ features[gallery_rows].T
    best = scores.argmax(axis=1)
    top = scores[np.arange(len(probes)), best]
    mated = np.isin(labels[probes], enrolled)
    if not mated.any() or mated.all():
        return None
    who = labels[probes]
    right = (enrolled[best] == who)[mated]
    return _Searches(top[mated], who[mated], right, top[~mated], who[~mated])


def _point(searches: _Searches, size: int, target: float) -> OpenSetPoint:
    ranked = np.sort(searches.non_mated)[::-1]
    allowed = int(target * len(ranked))
    threshold = float(np.nextafter(ranked[allowed], np.float32(np.inf))) if allowed < len(ranked) else -1.0
    found = searches.right & (searches.mated >= threshold)
    return OpenSetPoint(
        size,
        target,
        threshold,
        clustered(searches.non_mated >= threshold, searches.non_mated_identity),
        clustered(~found, searches.mated_identity),
        supported=target * len(ranked) >= 10,
    )
