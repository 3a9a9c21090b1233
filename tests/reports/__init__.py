"""Evaluation reports of people who do not exist, for the tests of the page and of its figures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from facepay.evaluation.attacks import Trial, TrialStatus, attack_rates
from facepay.evaluation.comparisons import compare_all
from facepay.evaluation.fairness import fairness_table
from facepay.evaluation.identification import open_set
from facepay.evaluation.intervals import wilson
from facepay.evaluation.results import RecognitionResult, Report, Source, histogram_of, this_machine
from facepay.evaluation.verification import det_curve, operating_points

Features = npt.NDArray[np.float32]
People = Callable[[int, int, float], tuple[Features, list[int]]]


def make_people(count: int, images: int, spread: float) -> tuple[Features, list[int]]:
    """Make `count` people with `images` unit vectors each, `spread` around one random direction a person."""
    random = np.random.default_rng(1)
    centres = random.normal(size=(count, 64))
    noisy = np.repeat(centres, images, axis=0) + spread * random.normal(size=(count * images, 64))
    unit = noisy / np.linalg.norm(noisy, axis=1, keepdims=True)
    return unit.astype(np.float32), [number for number in range(count) for _ in range(images)]


def make_report(suspicion: str = "") -> Report:
    """A report with every part that there is; `suspicion` is a sentence about the labels."""
    features, identity = make_people(60, 3, 1.1)
    comparisons = compare_all(features, identity)
    recognition = RecognitionResult(
        Source("a pack", "ab" * 32, "cd" * 32, 60, 180),
        wilson(0, 60),
        wilson(1, 180),
        len(comparisons.genuine),
        comparisons.impostors,
        operating_points(comparisons, (1e-2, 1e-4)),
        open_set(features, identity, sizes=(10, 40), targets=(0.1,)),
        tuple(map(tuple, det_curve(comparisons, 50).tolist())),
        histogram_of(comparisons),
        (suspicion,) if suspicion else (),
    )
    names = [f"p{number}" for number in range(60)]
    groups = {name: "left" if number < 40 else "right" for number, name in enumerate(names)}
    trials = [Trial("s", None, TrialStatus.ACCEPTED, 1), Trial("s", "print", TrialStatus.REFUSED, 1)]
    return Report(
        "An evaluation",
        datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        this_machine(),
        recognition,
        attack_rates(trials),
        fairness_table(features, identity, names, groups, threshold=0.3),
        {"detect": (1.0, 2.0, 3.0)},
    )
