"""Turn cue: the shopper turns the head to a random side, and a real head shows depth as it turns.

Two things must come together after the prompt: a change of yaw of at least 13 degrees to the asked
side, and a gain of depth that grows with the turn (`liveness.relief`). A flat photo tilted by 40
degrees is reported as a few degrees of yaw and gains next to nothing; bent paper gains more, so the
needed gain rises with the turn. A replayed film of a turning head passes; that is the flash's part.

Without a mesh the five detector points serve with a larger turn and a thinner margin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liveness.relief import depth_gain, nose_parallax
from liveness.types import (
    CueName,
    CueResult,
    Floats,
    Hint,
    Look,
    Presentation,
    PromptKind,
    Reason,
    Shown,
    Status,
)

SIDES = (PromptKind.TURN_LEFT, PromptKind.TURN_RIGHT)
_AVERAGED = 3


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """Start values of the design; `gain_per_degree` follows the 5 % quantile of live heads."""

    min_yaw: float = 13.0
    min_gain: float = 0.20
    gain_per_degree: float = 0.012
    max_needed_gain: float = 0.32
    flat_gain: float = 0.13
    """Below it, a face that visibly narrowed is flat, not shy."""
    min_narrowing: float = 0.12
    min_parallax: float = 0.12
    min_onset_ms: float = 150.0
    neutral_yaw: float = 12.0

    def needed_gain(self, yaw: float) -> float:
        """Least gain for a turn of this many degrees."""
        grown = self.min_gain + self.gain_per_degree * (yaw - self.min_yaw)
        return min(max(grown, self.min_gain), self.max_needed_gain)


@dataclass(frozen=True, slots=True)
class _Turned:
    """The furthest moment of the turn: degrees to the asked side, gain, parallax, narrowing, onset."""

    yaw: float
    gain: float | None
    parallax: float
    narrowing: float
    onset_ms: float | None


class TurnCue:
    """Judges the latest turn that was asked for."""

    def __init__(self, limits: TurnLimits | None = None) -> None:
        self._limits = limits or TurnLimits()

    def assess(self, presentation: Presentation) -> CueResult:
        """Ok for a turn with depth to the asked side; refuse for a flat one; otherwise cannot tell."""
        shown = presentation.asked(*SIDES)
        if shown is None:
            return _cannot_tell(Reason.NOT_ASKED)
        before, after = _split(presentation.looks, shown, self._limits)
        if len(before) < _AVERAGED or len(after) < _AVERAGED:
            return _cannot_tell(Reason.NO_ANSWER)
        sign = 1.0 if shown.prompt.kind is PromptKind.TURN_LEFT else -1.0
        if all(look.mesh is not None for look in (*before, *after)):
            return self._verdict(_measure_mesh(before, after, sign, shown))
        return self._fallback(_measure_points(before, after, sign, shown))

    def _verdict(self, turned: _Turned) -> CueResult:
        limits = self._limits
        gain = turned.gain or 0.0
        far = turned.yaw >= limits.min_yaw
        if turned.onset_ms is not None and turned.onset_ms < limits.min_onset_ms and far:
            return _result(turned, Status.REFUSE, Reason.BEFORE_PROMPT)
        if turned.yaw <= -limits.min_yaw and gain >= limits.min_gain:
            return _result(turned, Status.REFUSE, Reason.WRONG_SIDE)
        if far and gain >= limits.needed_gain(turned.yaw):
            return _result(turned, Status.OK)
        flat = turned.narrowing >= limits.min_narrowing and gain < limits.flat_gain
        bent = far and gain < limits.min_gain
        return (
            _result(turned, Status.REFUSE, Reason.FLAT) if flat or bent else _result(turned, Status.ABSTAIN)
        )

    def _fallback(self, turned: _Turned) -> CueResult:
        limits = self._limits
        if turned.parallax <= -limits.min_parallax:
            return _result(turned, Status.REFUSE, Reason.WRONG_SIDE)
        if turned.parallax >= limits.min_parallax:
            return _result(turned, Status.OK)
        flat = turned.narrowing >= limits.min_narrowing and turned.parallax < limits.min_parallax / 2
        return _result(turned, Status.REFUSE, Reason.FLAT) if flat else _result(turned, Status.ABSTAIN)


def _split(looks: tuple[Look, ...], shown: Shown, limits: TurnLimits) -> tuple[list[Look], list[Look]]:
    """The last neutral looks up to the prompt, and all looks after it."""
    neutral = [
        look
        for look in looks
        if look.captured_at_ns <= shown.at_ns
        and look.hint is Hint.NONE
        and (look.mesh is None or abs(look.mesh.pose.yaw) <= limits.neutral_yaw)
    ]
    return neutral[-_AVERAGED:], [look for look in looks if look.captured_at_ns > shown.at_ns]


def _measure_mesh(before: list[Look], after: list[Look], sign: float, shown: Shown) -> _Turned:
    start = float(np.mean([look.mesh.pose.yaw for look in before if look.mesh]))
    yaws = np.array([sign * (look.mesh.pose.yaw - start) for look in after if look.mesh])
    at = int(np.argmax(np.abs(yaws)))
    chosen = after[max(0, at - 1) : at + 2]
    a = _mean([look.mesh.points for look in before if look.mesh])
    # Before averaging, positions are taken relative to the nose bridge: the head also moves as it turns.
    b = _mean([look.mesh.points for look in chosen if look.mesh])
    narrow = min(_aspect(look.points) for look in after) / max(_aspect(before[-1].points), 1e-6)
    return _Turned(
        yaw=float(np.mean(yaws[max(0, at - 1) : at + 2])),
        gain=depth_gain(a, b),
        parallax=0.0,
        narrowing=1.0 - narrow,
        onset_ms=_onset_ms(after, yaws, shown),
    )


def _measure_points(before: list[Look], after: list[Look], sign: float, shown: Shown) -> _Turned:
    a = _mean([look.points for look in before])
    moved = [sign * (nose_parallax(a, look.points) or 0.0) for look in after]
    windows = [float(np.median(moved[i : i + _AVERAGED])) for i in range(len(moved) - _AVERAGED + 1)]
    narrow = min(_aspect(look.points) for look in after) / max(_aspect(a), 1e-6)
    return _Turned(yaw=0.0, gain=None, parallax=max(windows, key=abs), narrowing=1.0 - narrow, onset_ms=None)


def _onset_ms(
    after: list[Look], yaws: np.ndarray[tuple[int], np.dtype[np.float64]], shown: Shown
) -> float | None:
    """When a third of the needed turn was first reached."""
    over = np.flatnonzero(np.abs(yaws) >= TurnLimits().min_yaw / 3)
    return (after[int(over[0])].captured_at_ns - shown.at_ns) / 1e6 if over.size else None


def _mean(points: list[Floats]) -> Floats:
    """Mean of several sets of points after removing each set's own place and size."""
    first = points[0]
    centred = [one - one.mean(axis=0) for one in points]
    scale = float(np.sqrt((centred[0] ** 2).sum()))
    same = [one * (scale / max(float(np.sqrt((one**2).sum())), 1e-6)) for one in centred]
    return np.asarray(np.mean(same, axis=0) + first.mean(axis=0), dtype=np.float32)


def _aspect(points: Floats) -> float:
    """Inter-eye distance over the distance from eyes to mouth; a plane turned sideways loses it."""
    down = points[3:].mean(axis=0) - points[:2].mean(axis=0)
    return float(np.hypot(*(points[1] - points[0])) / max(float(np.hypot(*down)), 1e-6))


def _result(turned: _Turned, status: Status, *reasons: Reason) -> CueResult:
    gain = turned.gain if turned.gain is not None else turned.parallax
    return CueResult(
        CueName.TURN,
        status,
        score=float(np.clip(gain / 0.4, 0.0, 1.0)),
        reasons=reasons or ((Reason.NO_ANSWER,) if status is Status.ABSTAIN else ()),
        details=(("yaw", turned.yaw), ("gain", gain), ("narrowing", turned.narrowing)),
    )


def _cannot_tell(reason: Reason) -> CueResult:
    return CueResult(CueName.TURN, Status.ABSTAIN, reasons=(reason,))
