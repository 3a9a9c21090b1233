"""`facepay evaluate recognition`: from embedded photos to the rates that a report shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facepay.errors import InputUnusable
from facepay.evaluation.comparisons import Comparisons, compare_all
from facepay.evaluation.datasets import LabelSuspicion, printable, suspected_label_errors
from facepay.evaluation.embedding import EmbeddedSet, Fate
from facepay.evaluation.identification import open_set
from facepay.evaluation.intervals import Rate, clustered, wilson
from facepay.evaluation.results import RecognitionResult, Source, histogram_of
from facepay.evaluation.verification import TARGETS, det_curve, operating_points, threshold_for

GALLERIES = (10, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
FPIR_TARGETS = (1e-1, 1e-2, 1e-3)
SUSPICIONS = 20
"""How many suspected label errors a report lists."""


def measure(
    embedded: EmbeddedSet,
    *,
    pack: str,
    model: str,
    galleries: Sequence[int] = GALLERIES,
    targets: Sequence[float] = TARGETS,
) -> tuple[RecognitionResult, Comparisons]:
    """Compare everything with everything and search galleries of several sizes.

    Returns:
        The result, and the comparisons it rests on, for calibration.

    Raises:
        InputUnusable: fewer than two people have features, or nobody has two.
    """
    identity = embedded.identity
    comparisons = compare_all(embedded.features, identity)
    if not len(comparisons.genuine):
        raise InputUnusable("nobody has two usable photos, so no genuine comparison is possible: add photos")
    readable = [photo for photo, fate in embedded.failed if fate is not Fate.UNREADABLE]
    everyone = [*embedded.photos, *readable]
    failed = np.array([False] * len(embedded.photos) + [True] * len(readable))
    owners = np.unique([photo.identity for photo in everyone], return_inverse=True)[1]
    # A person fails to enrol when no photo of theirs can be used.
    usable = np.zeros(owners.max() + 1, bool)
    np.logical_or.at(usable, owners, ~failed)
    result = RecognitionResult(
        Source(pack, model, embedded.digest, len(embedded.names), len(embedded.photos)),
        wilson(int((~usable).sum()), len(usable)),
        clustered(failed, owners),
        len(comparisons.genuine),
        comparisons.impostors,
        operating_points(comparisons, targets),
        open_set(embedded.features, identity, sizes=galleries, targets=FPIR_TARGETS),
        tuple((float(t), float(fmr), float(fnmr)) for t, fmr, fnmr in det_curve(comparisons)),
        histogram_of(comparisons),
        tuple(_sentence(suspicion) for suspicion in _suspicions(embedded, comparisons)),
    )
    return result, comparisons


def of_scores(comparisons: Comparisons, name: str) -> RecognitionResult:
    """1:1 rates of comparisons from a score file; failures and galleries are not in such a file."""
    unknown = Rate(0, 0, float("nan"), float("nan"))
    return RecognitionResult(
        Source(printable(name), "", "", comparisons.identities, 0),
        unknown,
        unknown,
        len(comparisons.genuine),
        comparisons.impostors,
        operating_points(comparisons),
        (),
        tuple((float(t), float(fmr), float(fnmr)) for t, fmr, fnmr in det_curve(comparisons)),
        histogram_of(comparisons),
    )


def _suspicions(embedded: EmbeddedSet, comparisons: Comparisons) -> Sequence[LabelSuspicion]:
    """Different people who score like the median same person, same people who score like strangers."""
    same_above = float(np.median(comparisons.genuine))
    different_below = min(threshold_for(comparisons, 0.5), same_above)
    found = suspected_label_errors(
        embedded.photos, embedded.features, same_above=same_above, different_below=different_below
    )
    return found[:SUSPICIONS]


def _sentence(suspicion: LabelSuspicion) -> str:
    first, second = suspicion.first, suspicion.second
    return f"{suspicion.says} {first.identity}/{first.name} and {second.identity}/{second.name}"
