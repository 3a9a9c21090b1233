"""Gesture cue: smile, blink or nod, asked for at a random moment and answered by a person.

Value: interactivity and consent, two to four bits of it. An operator with clips of the victim
defeats it, so it is never required alone. Only a gesture that starts 150 to 1500 ms after the prompt
counts (an earlier one was recorded before) and only if the face then returns to neutral.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from liveness.landmarks import EYE_BLINK_LEFT, EYE_BLINK_RIGHT, JAW_OPEN, SMILE_LEFT, SMILE_RIGHT
from liveness.types import CueName, CueResult, Floats, Look, Presentation, PromptKind, Reason, Status

ONSET_MS = (150.0, 1500.0)
NEUTRAL_S = 0.5


@dataclass(frozen=True, slots=True)
class GestureShape:
    """How far a signal must leave its neutral value, come back, and how long it may stay."""

    rise: float
    release: float
    min_s: float
    max_s: float


SHAPES: Mapping[PromptKind, GestureShape] = MappingProxyType(
    {
        PromptKind.SMILE: GestureShape(rise=0.45, release=0.2, min_s=0.3, max_s=5.0),
        PromptKind.BLINK: GestureShape(rise=0.5, release=0.25, min_s=0.06, max_s=0.5),
        PromptKind.NOD: GestureShape(rise=8.0, release=4.0, min_s=0.1, max_s=1.5),
    }
)


@dataclass(frozen=True, slots=True)
class Excursion:
    """One departure from neutral: times in ns on the frames' clock, `peak` above neutral."""

    began_ns: int
    ended_ns: int | None
    peak: float


def smile_of(look: Look) -> float:
    """Strength of a closed-mouth, symmetric smile 0..1; 0 where the mouth is open or skewed."""
    if look.mesh is None:
        return 0.0
    shapes = look.mesh.blendshapes
    left, right = float(shapes[SMILE_LEFT]), float(shapes[SMILE_RIGHT])
    if float(shapes[JAW_OPEN]) >= 0.35 or abs(left - right) >= 0.3 or abs(look.mesh.pose.yaw) >= 18:
        return 0.0
    return min(left, right)


def blink_of(look: Look) -> float:
    """How far both eyes are closed, 0..1."""
    if look.mesh is None:
        return 0.0
    return float(min(look.mesh.blendshapes[EYE_BLINK_LEFT], look.mesh.blendshapes[EYE_BLINK_RIGHT]))


def pitch_of(look: Look) -> float:
    """Downward pitch of the head in degrees."""
    return look.mesh.pose.pitch if look.mesh else 0.0


SIGNALS: Mapping[PromptKind, Callable[[Look], float]] = MappingProxyType(
    {PromptKind.SMILE: smile_of, PromptKind.BLINK: blink_of, PromptKind.NOD: pitch_of}
)


class GestureCue:
    """Judges the latest smile, blink or nod that was asked for."""

    def assess(self, presentation: Presentation) -> CueResult:
        """Ok for one timely gesture with return; refuse for one that began before it was asked."""
        shown = presentation.asked(*SHAPES)
        if shown is None:
            return CueResult(CueName.GESTURE, Status.ABSTAIN, reasons=(Reason.NOT_ASKED,))
        looks = [look for look in presentation.looks if look.mesh is not None]
        found = find_excursions(looks, shown.prompt.kind, neutral_before_ns=shown.at_ns)
        if found is None:
            return CueResult(CueName.GESTURE, Status.ABSTAIN, reasons=(Reason.NOT_ENOUGH_FRAMES,))
        return _verdict(found, shown.at_ns)


def find_excursions(
    looks: list[Look], kind: PromptKind, *, neutral_before_ns: int
) -> tuple[Excursion, ...] | None:
    """Departures from neutral; None where no neutral reference of half a second exists."""
    signal, shape = SIGNALS[kind], SHAPES[kind]
    values = np.array([signal(look) for look in looks], dtype=np.float32)
    times = [look.captured_at_ns for look in looks]
    reference = [v for v, t in zip(values, times, strict=True) if t <= neutral_before_ns]
    span_s = (min(times[-1], neutral_before_ns) - times[0]) / 1e9 if times else 0.0
    if len(reference) < 3 or span_s < NEUTRAL_S / 2:
        return None
    return tuple(_excursions(times, values - float(np.median(reference)), shape))


def _excursions(times: list[int], values: Floats, shape: GestureShape) -> list[Excursion]:
    found: list[Excursion] = []
    began: int | None = None
    peak = 0.0
    for at_ns, value in zip(times, values.tolist(), strict=True):
        if began is None and value >= shape.release:
            began, peak = at_ns, value
        elif began is not None and value < shape.release:
            _keep(found, Excursion(began, at_ns, peak), shape)
            began = None
        elif began is not None:
            peak = max(peak, value)
    if began is not None:
        _keep(found, Excursion(began, None, peak), shape)
    return found


def _keep(found: list[Excursion], one: Excursion, shape: GestureShape) -> None:
    lasted_s = None if one.ended_ns is None else (one.ended_ns - one.began_ns) / 1e9
    in_time = lasted_s is None or shape.min_s <= lasted_s <= shape.max_s
    if one.peak >= shape.rise and in_time:
        found.append(one)


def _verdict(found: tuple[Excursion, ...], shown_at_ns: int) -> CueResult:
    after = [one for one in found if one.ended_ns is None or one.ended_ns > shown_at_ns]
    if not after:
        return CueResult(CueName.GESTURE, Status.ABSTAIN, score=0.0, reasons=(Reason.NO_ANSWER,))
    first = after[0]
    onset_ms = (first.began_ns - shown_at_ns) / 1e6
    details = (("onset_ms", onset_ms), ("peak", first.peak))
    if onset_ms < ONSET_MS[0]:
        reasons = (Reason.BEFORE_PROMPT,)
        return CueResult(CueName.GESTURE, Status.REFUSE, score=0.0, reasons=reasons, details=details)
    if onset_ms > ONSET_MS[1]:
        reasons = (Reason.TIMED_OUT,)
        return CueResult(CueName.GESTURE, Status.ABSTAIN, reasons=reasons, details=details)
    if first.ended_ns is None:
        reasons = (Reason.NO_RETURN_TO_NEUTRAL,)
        return CueResult(CueName.GESTURE, Status.ABSTAIN, reasons=reasons, details=details)
    return CueResult(CueName.GESTURE, Status.OK, score=1.0, details=details)
