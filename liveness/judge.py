"""Asks the cues about what was gathered, and makes one conclusion of their answers."""

from __future__ import annotations

from collections.abc import Mapping

from liveness.fusion import fuse, satisfied
from liveness.parts import SessionParts
from liveness.types import CueName, CueResult, PadResult, PadStatus, Presentation, Reason, Status

Results = dict[CueName, CueResult]


class Judge:
    """The verdict of one try. It keeps nothing of its own."""

    def __init__(self, parts: SessionParts) -> None:
        self._parts = parts

    def assess(self, presentation: Presentation) -> Results:
        """What the cues say so far; integrity refuses at once where it does, and so is ok here."""
        results = self._weighed(presentation)
        results[CueName.INTEGRITY] = CueResult(CueName.INTEGRITY, Status.OK)
        return results

    def is_clear(self, results: Mapping[CueName, CueResult]) -> bool:
        """Whether more frames would not change the outcome: a refusal, or everything required is ok."""
        refused = any(result.status is Status.REFUSE for result in results.values())
        return refused or satisfied(results, self._parts.policy.rule(self._parts.tier))

    def conclude(self, presentation: Presentation) -> PadResult:
        """The verdict on the whole try."""
        results = self._weighed(presentation)
        results[CueName.INTEGRITY] = self._parts.integrity.conclude()
        verdict = fuse(results, self._parts.policy, self._parts.tier)
        scores = [r.score for r in results.values() if r.score is not None and r.status is not Status.ABSTAIN]
        return PadResult(
            status=verdict.status,
            level=verdict.level,
            score=min(scores, default=0.0),
            reasons=verdict.reasons,
            cues=tuple(results.values()),
            transcript=self._parts.chain.head.hex(),
            step_up=verdict.step_up,
            llr=verdict.llr,
            origin=self._parts.origin,
        )

    def failed(self, failure: Reason | None) -> PadResult:
        """The verdict where nothing could be judged: what the stream refused, or else a non-response."""
        refusals = self._parts.integrity.refusals
        return PadResult(
            status=PadStatus.REFUSED if refusals else PadStatus.NON_RESPONSE,
            level=None,
            score=0.0,
            reasons=refusals or ((failure,) if failure else ()),
            cues=(),
            transcript=self._parts.chain.head.hex(),
            origin=self._parts.origin,
        )

    def _weighed(self, presentation: Presentation) -> Results:
        weigh = self._parts.calibration.weigh
        return {name: weigh(cue.assess(presentation)) for name, cue in self._parts.cues.items()}
