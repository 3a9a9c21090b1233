"""Turn cue: the shopper turns the head to a random side, and a real head shows depth as it turns.

Four things must come together after the prompt: a change of yaw of at least 15 degrees to the asked
side, a gain of depth (`liveness.relief`), no more narrowing than the turn explains, and skin that moves
as only something with a nose does (`liveness.sheet`). Bent paper turns, gains and narrows like a head in
the eyes of a landmark network; its skin moves like a sheet, and for that it is refused. A replayed film of
a turning head passes; that is the flash's part. Medians over the far part of the turn count throughout.

Without landmarks a turn can be refused and not accepted, see `liveness.parallax`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from liveness.parallax import judge_parallax
from liveness.turning import AVERAGED, Turned, TurnMeasure, skin_relief
from liveness.types import (
    CueName,
    CueResult,
    Hint,
    Look,
    Presentation,
    PromptKind,
    Reason,
    Relief,
    Shown,
    Status,
)

SIDES = (PromptKind.TURN_LEFT, PromptKind.TURN_RIGHT)
_MIN_FAR = 5
_UNFOLLOWED_MS = 500.0
"""How long skin that could not be followed is waited for once the head has turned."""
_MOST = 150
"""Frames looked back at, so that a shopper who takes long does not slow the terminal down."""


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """Yaw in degrees, gain and width share as in `liveness.relief`, relief as in `liveness.sheet`.

    Yaw and least gain are the design's. The others lie between heads and sheets of the development half
    (`python -m benchmarks.liveness turns --people development`): heads had a gain of at least 0.81 of the
    sine, a width of at least 0.96 and a relief of at least 0.126, sheets a relief of at most 0.008.
    """

    min_yaw: float = 15.0
    min_gain: float = 0.20
    min_gain_share: float = 0.8
    """Least gain over the sine of the turn; about 0.95 for heads."""
    min_width: float = 0.95
    flat_width: float = 0.91
    """A face that narrows below it while it turns, or narrows without turning, is on something flat."""
    flat_gain: float = 0.13
    min_relief: float = 0.06
    min_movement: float = 0.02
    """Skin that hardly moved shows the noise of following it, which may look like anything."""
    sheet_relief: float = 0.045
    """Skin that moved further than `sheet_movement` with less relief, and fits a sheet, is on one."""
    sheet_movement: float = 0.03
    sheet_misfit: float = 0.3
    """Most that a sheet leaves unexplained, as a share of its movement: 49 in 50 sheets of the development
    half left less, people who moved freely while they turned in recordings 0.36 and more."""
    min_onset_ms: float = 150.0
    neutral_yaw: float = 12.0


class TurnCue:
    """Judges the latest turn that was asked for."""

    def __init__(self, limits: TurnLimits | None = None) -> None:
        self._limits = limits or TurnLimits()
        self._measure = TurnMeasure(self._limits.min_yaw)

    def assess(self, presentation: Presentation) -> CueResult:
        """Ok for a turn with depth to the asked side; refuse for a flat one; otherwise cannot tell."""
        shown = presentation.asked(*SIDES)
        if shown is None:
            return _cannot_tell(Reason.NOT_ASKED)
        since = [look for look in presentation.looks if look.captured_at_ns > shown.at_ns][-_MOST:]
        meshed = tuple(look for look in presentation.looks if look.mesh is not None)
        # Where landmarks are installed, a moment without them is no evidence: whatever they lose must not be
        # judged by the weaker measure. The skin is followed through it all the same.
        before, after = _split(meshed or presentation.looks, shown, self._limits)
        skin = skin_relief(since)
        if len(before) < AVERAGED or len(after) < AVERAGED:
            return self._by_skin_alone(skin)
        sign = 1.0 if shown.prompt.kind is PromptKind.TURN_LEFT else -1.0
        if meshed:
            now_ns = max(presentation.now_ns, presentation.looks[-1].captured_at_ns)
            turned = replace(self._measure.measure(before, after, sign, shown), relief=skin)
            return self._verdict(turned, now_ns)
        return judge_parallax([look.points for look in before], [look.points for look in after], sign)

    def _by_skin_alone(self, skin: Relief | None) -> CueResult:
        """Where the landmarks were lost before they had seen a turn."""
        if skin is None or not self._is_sheet(skin):
            return _cannot_tell(Reason.NO_ANSWER)
        return CueResult(CueName.TURN, Status.REFUSE, score=0.0, reasons=(Reason.FLAT,), details=_of(skin))

    def _verdict(self, turned: Turned, now_ns: int) -> CueResult:
        limits = self._limits
        far = abs(turned.yaw) >= limits.min_yaw
        sine = float(np.sin(np.deg2rad(abs(turned.yaw))))
        deep = turned.gain >= max(limits.min_gain, limits.min_gain_share * sine)
        if far and deep and turned.onset_ms is not None and turned.onset_ms < limits.min_onset_ms:
            return _result(turned, Status.REFUSE, Reason.BEFORE_PROMPT)
        if self._is_sheet(turned.relief):
            return _result(turned, Status.REFUSE, Reason.FLAT)
        solid = self._is_solid(turned.relief)
        narrow = turned.width < limits.flat_width and (far or turned.gain < limits.flat_gain)
        # The width is the landmarks' word. Followed skin has to be heard first, and where it speaks against
        # the width, neither may accuse.
        moved = turned.relief is not None and turned.relief.movement >= limits.min_movement
        heard = moved or (now_ns - turned.since_ns) / 1e6 >= _UNFOLLOWED_MS
        if narrow and heard and not solid:
            return _result(turned, Status.REFUSE, Reason.FLAT)
        if far and deep and turned.yaw < 0:
            return _result(turned, Status.REFUSE, Reason.WRONG_SIDE)
        wide = turned.width >= limits.min_width and turned.frames >= _MIN_FAR
        good = far and deep and wide and solid
        return _result(turned, Status.OK if good else Status.ABSTAIN)

    def _is_solid(self, relief: Relief | None) -> bool:
        limits = self._limits
        return (
            relief is not None
            and relief.movement >= limits.min_movement
            and relief.share >= limits.min_relief
        )

    def _is_sheet(self, relief: Relief | None) -> bool:
        limits = self._limits
        return (
            relief is not None
            and relief.movement >= limits.sheet_movement
            and relief.share < limits.sheet_relief
            and relief.misfit <= limits.sheet_misfit * relief.movement
        )


def _split(looks: tuple[Look, ...], shown: Shown, limits: TurnLimits) -> tuple[list[Look], list[Look]]:
    """The last neutral looks up to the prompt, and all looks after it."""
    neutral = [
        look
        for look in looks
        if look.captured_at_ns <= shown.at_ns
        and look.hint is Hint.NONE
        and (look.mesh is None or abs(look.mesh.pose.yaw) <= limits.neutral_yaw)
    ]
    after = [look for look in looks if look.captured_at_ns > shown.at_ns]
    return neutral[-AVERAGED:], after[-_MOST:]


def _result(turned: Turned, status: Status, *reasons: Reason) -> CueResult:
    return CueResult(
        CueName.TURN,
        status,
        score=float(np.clip(abs(turned.gain) / 0.4, 0.0, 1.0)),
        reasons=reasons or ((Reason.NO_ANSWER,) if status is Status.ABSTAIN else ()),
        details=(
            ("yaw", turned.yaw),
            ("gain", turned.gain),
            ("width", turned.width),
            *_of(turned.relief),
        ),
    )


def _of(skin: Relief | None) -> tuple[tuple[str, float], ...]:
    """The skin's part of the details; zeros where none was followed far enough."""
    return (
        ("relief", skin.share if skin else 0.0),
        ("movement", skin.movement if skin else 0.0),
        ("misfit", skin.misfit if skin else 0.0),
    )


def _cannot_tell(reason: Reason) -> CueResult:
    return CueResult(CueName.TURN, Status.ABSTAIN, reasons=(reason,))
