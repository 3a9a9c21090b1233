"""Quality cue: whether enough of what was seen could be judged at all.

It answers ok or "cannot tell", never refuse: a bad picture is nobody's attack.
"""

from __future__ import annotations

from liveness.types import CueName, CueResult, Hint, Presentation, PromptKind, Reason, Status

MIN_USABLE = 5


class QualityCue:
    """Counts the gated frames; those during a turn of the head are not held against anybody."""

    def assess(self, presentation: Presentation) -> CueResult:
        """Ok where at least five frames passed the gate; the share that did is the quality."""
        turn = presentation.asked(PromptKind.TURN_LEFT, PromptKind.TURN_RIGHT, PromptKind.NOD)
        until_ns = turn.at_ns if turn else None
        looks = [look for look in presentation.looks if until_ns is None or look.captured_at_ns < until_ns]
        usable = [index for index, look in enumerate(looks) if look.hint is Hint.NONE]
        if len(usable) < MIN_USABLE:
            return CueResult(CueName.QUALITY, Status.ABSTAIN, reasons=(Reason.NOT_ENOUGH_FRAMES,))
        share = len(usable) / (len(looks) - usable[0])
        return CueResult(CueName.QUALITY, Status.OK, score=1.0, quality=share)
