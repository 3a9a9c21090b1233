"""Runs presentation samples through the terminal's own capture, and makes trials of what it says.

Each sample becomes a replayed camera before the very capture, liveness session and recogniser that a payment
uses; nothing is judged frame by frame. What the tier asks for and a recording cannot give (a light, a turn
on demand) counts as non-response, as it would at the counter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from facepay.capture.capture import FaceCapture
from facepay.capture.limits import CaptureLimits
from facepay.capture.records import Guidance
from facepay.capture.stages import StageTimes
from facepay.capture.tries import LivenessTries
from facepay.errors import FailureToAcquire
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


def trials_of(presented: Sequence[Presented], tier: Tier, threshold: float | None) -> tuple[Trial, ...]:
    """One trial for the whole decision, and one for each cue.

    Args:
        presented: all samples.
        tier: the tier asked for.
        threshold: cosine from which two captures match; None leaves matching unsaid.
    """
    return tuple(trial for item in presented for trial in _trials(item, presented, tier, threshold))


def _trials(
    item: Presented, everyone: Sequence[Presented], tier: Tier, threshold: float | None
) -> tuple[Trial, ...]:
    sample, level = item.sample, int(tier)
    matched = None if threshold is None else _matched(item, everyone, threshold)
    status = TrialStatus.NON_RESPONSE if item.pad is None else _STATUS[item.pad.status]
    whole = Trial(sample.subject, sample.species, status, level, matched=matched)
    cues: tuple[CueResult, ...] = item.pad.cues if item.pad is not None else ()
    return whole, *(
        Trial(sample.subject, sample.species, _CUE_STATUS[cue.status], level, cue.cue.value) for cue in cues
    )


def _matched(item: Presented, everyone: Sequence[Presented], threshold: float) -> bool | None:
    """Whether it matches another bona fide capture of the same subject; None where there is none."""
    others = [
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
