"""Runs presentation samples through the terminal's own capture, and makes trials of what it says.

Each sample becomes a replayed camera before the very capture, liveness session and recogniser that a payment
uses; nothing is judged frame by frame. What the tier asks for and a recording cannot give (a light, a turn
on demand) counts as non-response, as it would at the counter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facepay.capture.capture import FaceCapture
from facepay.capture.limits import CaptureLimits
from facepay.capture.records import Guidance
from facepay.capture.stages import StageTimes
from facepay.capture.tries import LivenessTries
from facepay.errors import FailureToAcquire, InputUnusable
from facepay.evaluation.attacks import Trial, TrialStatus
from facepay.evaluation.samples import PresentationSample
from facepay.recognition.engine import RecognitionEngine
from facepay.recognition.quality import QualityGate
from hardware.base import SteppedClock
from hardware.camera_replay import ReplayCamera, ReplayOptions
from hardware.errors import HardwareError
from liveness.types import CueResult, PadResult, PadStatus, Status, Tier
from pos_adapter.types import Money

AMOUNT = Money(500, "EUR")
"""What the challenge is bound to; any amount would do."""

_STATUS = {
    PadStatus.ACCEPTED: TrialStatus.ACCEPTED,
    PadStatus.REFUSED: TrialStatus.REFUSED,
    PadStatus.NON_RESPONSE: TrialStatus.NON_RESPONSE,
}
_CUE_STATUS = {
    Status.OK: TrialStatus.ACCEPTED,
    Status.REFUSE: TrialStatus.REFUSED,
    Status.ABSTAIN: TrialStatus.NON_RESPONSE,
}


@dataclass(frozen=True, slots=True)
class Presented:
    """What came of one sample: the verdict (None where no face was usable) and its mean features."""

    sample: PresentationSample
    pad: PadResult | None
    features: npt.NDArray[np.float32] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Features of one reference."""

    subject: str
    features: npt.NDArray[np.float32] = field(repr=False)


def present(
    samples: Sequence[PresentationSample],
    engine: RecognitionEngine,
    tries: LivenessTries,
    tier: Tier,
    each: Callable[[], object],
) -> tuple[Presented, ...]:
    """Show every sample to the capture once; `each` is called after each, for a progress bar."""
    shown = []
    for sample in samples:
        shown.append(_present(sample, engine, tries, tier))
        each()
    return tuple(shown)


def _present(
    sample: PresentationSample, engine: RecognitionEngine, tries: LivenessTries, tier: Tier
) -> Presented:
    clock = SteppedClock()
    camera = ReplayCamera(sample.path, ReplayOptions(loop=False), clock)
    limits = CaptureLimits(deadline_s=15.0)
    capture = FaceCapture(camera, engine.detector, QualityGate(), limits, now_s=lambda: clock.now_ns() / 1e9)
    times = StageTimes()
    try:
        with capture.opened(_ignore, times) as opened:
            captured = opened.run(tries.open(tier, AMOUNT, capture.identity))
    except (FailureToAcquire, HardwareError):
        return Presented(sample, None, None)
    faces = [best.face for best in captured.samples]
    if not faces:
        return Presented(sample, captured.pad, None)
    mean = engine.extract(faces).mean(axis=0)
    return Presented(sample, captured.pad, mean / np.linalg.norm(mean))


def _ignore(guidance: Guidance) -> None:
    """Nobody watches."""


def embed_references(
    references: Sequence[tuple[Path, str]], engine: RecognitionEngine
) -> tuple[Enrolled, ...]:
    """Features of what the subjects enrolled with.

    Raises:
        InputUnusable: a reference shows no face that could be enrolled; names the file.
    """
    return tuple(Enrolled(subject, _reference(path, engine)) for path, subject in references)


def _reference(path: Path, engine: RecognitionEngine) -> npt.NDArray[np.float32]:
    with ReplayCamera(path, ReplayOptions(loop=False), SteppedClock()) as camera:
        assessment = engine.assess(camera.read(1.0).pixels)
    if assessment.face is None:
        raise InputUnusable(f"{path} shows no face that could be enrolled; give another picture")
    (features,) = engine.extract([assessment.face])
    return np.asarray(features, np.float32)


def trials_of(
    presented: Sequence[Presented], enrolled: Sequence[Enrolled], tier: Tier, threshold: float
) -> tuple[Trial, ...]:
    """One trial for the whole decision, and one for each cue.

    Args:
        presented: all samples.
        enrolled: references of the subjects; without those of a subject, their other bona fide captures.
        tier: the tier asked for.
        threshold: cosine from which two captures match.
    """
    return tuple(
        trial
        for item in presented
        for trial in _trials(item, tier, _matched(item, presented, enrolled, threshold))
    )


def _trials(item: Presented, tier: Tier, matched: bool | None) -> tuple[Trial, ...]:
    sample, level = item.sample, int(tier)
    status = TrialStatus.NON_RESPONSE if item.pad is None else _STATUS[item.pad.status]
    whole = Trial(sample.subject, sample.species, status, level, matched=matched)
    cues: tuple[CueResult, ...] = item.pad.cues if item.pad is not None else ()
    return whole, *(
        Trial(sample.subject, sample.species, _CUE_STATUS[cue.status], level, cue.cue.value, matched=matched)
        for cue in cues
    )


def _matched(
    item: Presented, everyone: Sequence[Presented], enrolled: Sequence[Enrolled], threshold: float
) -> bool | None:
    """Whether it matches what its subject enrolled with; None where nothing is there to compare with."""
    others = [one.features for one in enrolled if one.subject == item.sample.subject] or [
        other.features
        for other in everyone
        if other is not item
        and other.sample.species is None
        and other.sample.subject == item.sample.subject
        and other.features is not None
    ]
    if item.features is None or not others:
        return None
    return max(float(item.features @ other) for other in others) >= threshold
