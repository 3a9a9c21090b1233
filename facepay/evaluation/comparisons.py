"""Everything compared with everything: genuine scores, impostor histogram and the exact impostor tail.

Twelve million impostor scores are not kept. A fine histogram holds their distribution, and the highest of
them are kept exactly, each with the two identities it came from, because every threshold of interest lies
among them: at least `TAIL`, and at least the share `TAIL_SHARE` of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from facepay.errors import InputUnusable

BINS = 4000
"""Histogram bins; over cosine -1..1 each is 0.0005 wide."""

TAIL = 200_000
"""How many of the highest impostor scores are kept exactly, at least."""

TAIL_SHARE = 0.011
"""Share of the highest impostor scores that is kept exactly, at least: enough for FMR 0.01."""

BLOCK = 2048

Floats = npt.NDArray[np.float32]
Scores = npt.NDArray[np.floating]
Indices = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Comparisons:
    """All 1:1 comparisons of a data set; scores are cosines, higher is more similar.

    `genuine` and `genuine_identity` run in parallel, as do `tail`, `tail_a` and `tail_b`; `tail` is sorted,
    highest first. `per_identity` counts the images of each identity. `impostor_pairs` is the number of pairs
    of different people that were compared: what is closest to independent trials. `span` are the lowest and
    the highest score of the histogram, other than -1..1 only for scores of other tools.
    """

    genuine: Scores = field(repr=False)
    genuine_identity: Indices = field(repr=False)
    tail: Scores = field(repr=False)
    tail_a: Indices = field(repr=False)
    tail_b: Indices = field(repr=False)
    histogram: npt.NDArray[np.int64] = field(repr=False)
    per_identity: Indices = field(repr=False)
    impostor_pairs: int
    span: tuple[float, float] = (-1.0, 1.0)

    @property
    def identities(self) -> int:
        """How many identities took part."""
        return len(self.per_identity)

    @property
    def impostors(self) -> int:
        """How many impostor comparisons stand behind the rates."""
        return int(self.histogram.sum())

    def weighted_impostors(self, weight: npt.NDArray[np.float64]) -> float:
        """How many impostor comparisons there would be if each identity counted `weight` times."""
        images = self.per_identity.astype(np.float64)
        # A score file need not compare everybody with everybody, so the count is scaled to what it has.
        return self.impostors * _pairs(weight * images) / _pairs(images)

    def false_matches(self, threshold: float) -> int:
        """Impostor comparisons at or above a threshold; exact within the tail, else to one bin."""
        if len(self.tail) == self.impostors or threshold > self.tail[-1]:
            return int(np.searchsorted(-self.tail, -threshold, side="right"))
        low, high = self.span
        first = int(np.clip(np.floor((threshold - low) / (high - low) * BINS), 0, BINS - 1))
        return int(self.histogram[first:].sum())

    def false_non_matches(self, threshold: float) -> int:
        """Genuine comparisons below a threshold."""
        return int((self.genuine < threshold).sum())


def _pairs(images: npt.NDArray[np.float64]) -> float:
    return float(images.sum() ** 2 - (images**2).sum()) / 2


def distinct_pairs(first: Indices, second: Indices) -> npt.NDArray[np.int64]:
    """The pairs of people that occur, each once and whichever way round, as one number a pair."""
    low, high = np.minimum(first, second).astype(np.int64), np.maximum(first, second)
    return np.unique(low << 32 | high)


def tail_length(impostors: int, share: float = TAIL_SHARE) -> int:
    """How many of so many impostor scores are kept exactly."""
    return max(TAIL, int(share * impostors))


def compare_all(features: Floats, identity: Sequence[int], *, share: float = TAIL_SHARE) -> Comparisons:
    """Compare every image with every other once.

    Args:
        features: `float32[N, D]`, rows of unit length.
        identity: for each row the number of its person, 0..K-1.
        share: of the highest impostor scores that is kept exactly, at least.

    Raises:
        InputUnusable: shapes that do not fit, NaN, or fewer than two people.
    """
    labels = np.asarray(identity, np.int32)
    _require_usable(features, labels)
    images = np.bincount(labels).astype(np.int32)
    genuine: list[Floats] = []
    owners: list[Indices] = []
    histogram = np.zeros(BINS, np.int64)
    tail = _Tail(tail_length(int(_pairs(images.astype(np.float64))), share))
    for start in range(0, len(features), BLOCK):
        rows = features[start : start + BLOCK]
        # Rounding lifts the cosine of a picture with itself above 1, out of the histogram.
        scores = np.clip(rows @ features[start:].T, -1, 1)
        ahead = np.triu(np.ones(scores.shape, bool), k=1)
        same = labels[start : start + len(rows), None] == labels[None, start:]
        mine = ahead & same
        genuine.append(scores[mine])
        owners.append(np.broadcast_to(labels[start : start + len(rows), None], scores.shape)[mine])
        others = ahead & ~same
        histogram += np.histogram(scores[others], BINS, (-1, 1))[0]
        tail.add(scores, others, labels[start : start + len(rows)], labels[start:])
    kept = tail.sorted()
    return Comparisons(
        np.concatenate(genuine),
        np.concatenate(owners),
        *kept,
        histogram,
        images,
        len(images) * (len(images) - 1) // 2,
    )


def _require_usable(features: Floats, labels: Indices) -> None:
    if features.ndim != 2 or len(features) != len(labels):
        raise InputUnusable(f"{features.shape} features and {len(labels)} identities do not belong together")
    if not np.isfinite(features).all():
        raise InputUnusable("features hold NaN or infinity: the recogniser or an image is broken")
    if len(np.unique(labels)) < 2:
        raise InputUnusable("comparing needs usable images of at least two people")


class _Tail:
    """The highest impostor scores seen so far, `most` of them, with their two identities."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._scores = np.empty(0, np.float32)
        self._pairs = np.empty((0, 2), np.int32)
        self._floor = -2.0

    def add(self, scores: Floats, mask: npt.NDArray[np.bool_], left: Indices, right: Indices) -> None:
        row, column = np.nonzero(mask & (scores > self._floor))
        self._scores = np.concatenate([self._scores, scores[row, column]])
        self._pairs = np.concatenate([self._pairs, np.stack([left[row], right[column]], axis=1)])
        if len(self._scores) > self._most:
            keep = np.argpartition(-self._scores, self._most - 1)[: self._most]
            self._scores, self._pairs = self._scores[keep], self._pairs[keep]
            self._floor = float(self._scores.min())

    def sorted(self) -> tuple[Floats, Indices, Indices]:
        order = np.argsort(-self._scores, kind="stable")
        return self._scores[order], self._pairs[order, 0], self._pairs[order, 1]
