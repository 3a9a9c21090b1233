"""Passive cue: a pair of small networks that look for the marks of an instrument on single frames.

MiniFASNetV2 sees the face 2.7 times its box, MiniFASNetV1SE 4 times. They take BGR 0..255 as float
without any division, and answer three logits of which class 1 is bona fide. The cue is the median,
over several gated frames, of the mean of both probabilities.

Evidence: weak. On replay crops of people the networks never saw, one fixed threshold accepted
between 73 % and 25 % of live frames and between 41 % and 0 % of replays depending on the camera,
and about two thirds of simulated good prints. Hence three answers instead of two: clear yes, clear
no, and "cannot tell" in between; and hence no tier rests on this cue alone for more than small money.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from liveness.base import Array, Inference
from liveness.errors import ModelUnusable
from liveness.types import Box, CueName, CueResult, Floats, Hint, Look, Pixels, Presentation, Reason, Status

INPUT_SIZE = 80
BONA_FIDE_CLASS = 1
SCALES = (2.7, 4.0)


@dataclass(frozen=True, slots=True)
class PassiveLimits:
    """Where the median must lie; start values until calibrated on the shop's own camera.

    The design's proposal is one threshold at 0.5. Below `refuse_below` both networks agree that they
    see an instrument; in between the cue cannot tell.
    """

    accept_from: float = 0.5
    refuse_below: float = 0.3
    refuse_turned_below: float = 0.05
    """For faces that do not look here and so cannot be accepted; only a plain mark counts there."""
    min_frames: int = 5
    min_span_s: float = 0.5


class MiniFasPair:
    """The two networks as one expert.

    Args:
        narrow: network for the crop 2.7 times the box.
        wide: network for the crop 4 times the box.
    """

    def __init__(self, narrow: Inference, wide: Inference, *, input_name: str = "input") -> None:
        self._networks = ((narrow, SCALES[0]), (wide, SCALES[1]))
        self._input = input_name

    def score(self, pixels: Pixels, box: Box, points: Floats) -> float | None:
        """Mean probability of bona fide of both networks, 0..1.

        Raises:
            ModelUnusable: a network failed or does not answer three logits.
        """
        total = 0.0
        for network, scale in self._networks:
            crop = crop_around(pixels, box, scale=scale)
            if crop is None:
                return None
            total += _probability(self._logits(network, crop))
        return total / len(self._networks)

    def _logits(self, network: Inference, crop: Pixels) -> Array:
        tensor = crop.astype(np.float32).transpose(2, 0, 1)[None]
        try:
            outputs = network.run({self._input: np.ascontiguousarray(tensor)})
        except Exception as error:  # The session is foreign code; above this seam only our family exists.
            raise ModelUnusable(f"a passive liveness network failed: {type(error).__name__}") from error
        logits = np.asarray(outputs[0], dtype=np.float64).reshape(-1) if outputs else np.empty(0)
        if logits.shape != (3,):
            raise ModelUnusable("a passive liveness network does not answer three logits")
        return logits


PassiveFunction = Callable[[Pixels, Floats], float | None]


class AddonExpert:
    """Optional second expert: a network whose user holds a licence, called through a function.

    Wraps insightface's liveness addon: `judge(pixels, points)` returns its live probability, or None
    where its own input gate rejects the frame.
    """

    def __init__(self, judge: PassiveFunction) -> None:
        self._judge = judge

    def score(self, pixels: Pixels, box: Box, points: Floats) -> float | None:
        """Probability of bona fide, 0..1, or None."""
        try:
            value = self._judge(pixels, points)
        except (
            Exception
        ) as error:  # The addon raises whatever it likes; above this seam only our family exists.
            raise ModelUnusable(f"the liveness addon failed: {type(error).__name__}") from error
        return None if value is None or not 0.0 <= value <= 1.0 else float(value)


class PassiveCue:
    """Median over the frames on which the experts could judge."""

    def __init__(self, limits: PassiveLimits | None = None) -> None:
        self._limits = limits or PassiveLimits()

    def assess(self, presentation: Presentation) -> CueResult:
        """Ok from the accepting limit on, refuse below the refusing one, otherwise cannot tell."""
        judged = [look for look in presentation.looks if look.passive is not None]
        gated = [look for look in judged if look.hint is Hint.NONE]
        if self._enough(gated):
            return self._result(gated, *self._verdict(_median(gated)))
        if self._enough(judged) and _median(judged) < self._limits.refuse_turned_below:
            return self._result(judged, Status.REFUSE, (Reason.LOOKS_LIKE_INSTRUMENT,))
        return CueResult(CueName.PASSIVE, Status.ABSTAIN, reasons=(Reason.NOT_ENOUGH_FRAMES,))

    def _result(self, judged: list[Look], status: Status, reasons: tuple[Reason, ...]) -> CueResult:
        scores = [look.passive for look in judged if look.passive is not None]
        scales = [look.passive_scale for look in judged if look.passive_scale is not None]
        return CueResult(
            CueName.PASSIVE,
            status,
            score=float(np.median(scores)),
            quality=min(1.0, float(np.median(scales)) / SCALES[1]) if scales else 1.0,
            reasons=reasons,
            details=(("frames", float(len(scores))), ("spread", float(np.ptp(scores)))),
        )

    def _enough(self, judged: list[Look]) -> bool:
        if len(judged) < self._limits.min_frames:
            return False
        span_s = (judged[-1].captured_at_ns - judged[0].captured_at_ns) / 1e9
        return span_s >= self._limits.min_span_s

    def _verdict(self, median: float) -> tuple[Status, tuple[Reason, ...]]:
        if not math.isfinite(median):
            return Status.ABSTAIN, (Reason.NOT_MEASURED,)
        if median >= self._limits.accept_from:
            return Status.OK, ()
        if median < self._limits.refuse_below:
            return Status.REFUSE, (Reason.LOOKS_LIKE_INSTRUMENT,)
        return Status.ABSTAIN, (Reason.UNCERTAIN,)


def _median(judged: list[Look]) -> float:
    return float(np.median([look.passive for look in judged if look.passive is not None]))


def effective_scale(shape: tuple[int, ...], box: Box) -> float:
    """Largest crop scale up to 4 that fits the frame; the networks' authors clip it the same way."""
    height, width = shape[:2]
    return min((height - 1) / max(box[3] - box[1], 1.0), (width - 1) / max(box[2] - box[0], 1.0), SCALES[1])


def crop_around(pixels: Pixels, box: Box, *, scale: float) -> Pixels | None:
    """The face with its surroundings, `uint8[80, 80, 3]`, shifted to stay inside the frame.

    The shift and the clipped scale are part of the networks' input convention.
    """
    height, width = pixels.shape[:2]
    box_width, box_height = box[2] - box[0], box[3] - box[1]
    if box_width < 2 or box_height < 2:
        return None
    scale = min((height - 1) / box_height, (width - 1) / box_width, scale)
    new_width, new_height = box_width * scale, box_height * scale
    left = min(max((box[0] + box[2] - new_width) / 2, 0.0), width - 1 - new_width)
    top = min(max((box[1] + box[3] - new_height) / 2, 0.0), height - 1 - new_height)
    x, y = int(left), int(top)
    crop = pixels[y : int(top + new_height) + 1, x : int(left + new_width) + 1]
    if crop.shape[0] < 2 or crop.shape[1] < 2:
        return None
    return np.asarray(cv2.resize(crop, (INPUT_SIZE, INPUT_SIZE)), dtype=np.uint8)


def _probability(logits: Array) -> float:
    if not np.isfinite(logits).all():
        return 0.0
    weights = np.exp(logits - logits.max())
    return float(weights[BONA_FIDE_CLASS] / weights.sum())
