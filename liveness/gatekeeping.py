"""Quality cue: whether enough of what was seen could be judged at all.

It answers ok or "cannot tell", never refuse: a bad picture is nobody's attack.
"""

from __future__ import annotations

from liveness.types import CueName, CueResult, Hint, Look, Presentation, PromptKind, Reason, Status

MIN_USABLE = 5
MAX_COVERED_SHARE = 0.5
"""A hand that passes hides the face for a moment; whatever hides it for most of a try is no moment."""


class QualityCue:
    """Counts the gated frames; those during a turn of the head are not held against anybody."""

    def assess(self, presentation: Presentation) -> CueResult:
        """Ok where five frames passed the gate and most show mouth and eyes; their share is the quality."""
        turn = presentation.asked(PromptKind.TURN_LEFT, PromptKind.TURN_RIGHT, PromptKind.NOD)
        until_ns = turn.at_ns if turn else None
        looks = [look for look in presentation.looks if until_ns is None or look.captured_at_ns < until_ns]
        usable = [index for index, look in enumerate(looks) if look.hint is Hint.NONE]
        if len(usable) < MIN_USABLE:
            reason = Reason.COVERED if _covered_share(looks) > MAX_COVERED_SHARE else Reason.NOT_ENOUGH_FRAMES
            return CueResult(CueName.QUALITY, Status.ABSTAIN, reasons=(reason,))
        engaged = looks[usable[0] :]
        if _covered_share(engaged) > MAX_COVERED_SHARE:
            return CueResult(CueName.QUALITY, Status.ABSTAIN, reasons=(Reason.COVERED,))
        return CueResult(CueName.QUALITY, Status.OK, score=1.0, quality=len(usable) / len(engaged))


def _covered_share(looks: list[Look]) -> float:
    """Share of the frames with something before mouth or eyes."""
    return sum(look.hint is Hint.UNCOVER for look in looks) / max(len(looks), 1)
