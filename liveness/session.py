"""One try: frames in, prompts out, a conclusion at the end.

`observe` takes every frame and never raises; what it cannot use or does not understand ends in a
reason. Nothing about which cue liked or disliked a frame leaves before `conclude`, and nothing but
status and level should reach the shopper then.

Order: integrity first, then the gate, then the challenges one after the other. The challenge is
derived only after the first usable frame is in the chain; the passive networks run along.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from liveness.base import Cue, DepthSource
from liveness.calibration import Calibration
from liveness.chain import FrameChain
from liveness.challenge import Challenge, Sale
from liveness.consent import Consent, ConsentAct, ConsentWatch
from liveness.fusion import fuse, satisfied
from liveness.integrity import StreamIntegrity
from liveness.looker import Looker
from liveness.policy import LivenessPolicy
from liveness.prompts import PromptBook
from liveness.transcript import Record
from liveness.types import (
    Alarm,
    CueName,
    CueResult,
    DepthView,
    Hint,
    Look,
    Observation,
    Origin,
    PadResult,
    PadStatus,
    Presentation,
    Progress,
    Prompt,
    PromptKind,
    Reason,
    Status,
    Tier,
)

_log = logging.getLogger(__name__)
_MAX_LOOKS = 900
_MAX_DEPTH_VIEWS = 15
_POSE_HINTS = frozenset({Hint.LOOK_HERE, Hint.HOLD_STILL})


@dataclass(frozen=True, slots=True)
class SessionParts:
    """What the engine builds a session from."""

    tier: Tier
    origin: Origin
    policy: LivenessPolicy
    looker: Looker
    integrity: StreamIntegrity
    chain: FrameChain
    cues: Mapping[CueName, Cue]
    challenge: Challenge
    prompts: PromptBook
    calibration: Calibration
    sale: Sale
    digests: tuple[tuple[str, str], ...] = ()
    depth: DepthSource | None = None


class LivenessSession:
    """One try for one tier. Not thread-safe; one thread feeds it."""

    def __init__(self, parts: SessionParts) -> None:
        self._parts = parts
        self._looks: list[Look] = []
        self._depth: list[DepthView] = []
        self._frames = 0
        self._began_ns: int | None = None
        self._now_ns = 0
        self._engaged_ns: int | None = None
        self._hint = Hint.NO_FACE
        self._usable = False
        self._finished = bool(parts.integrity.refusals)
        self._failure: Reason | None = None
        self._result: PadResult | None = None
        self._watch: ConsentWatch | None = None

    @property
    def tier(self) -> Tier:
        """The tier this try was opened for."""
        return self._parts.tier

    @property
    def prompt(self) -> Prompt:
        """What to ask the shopper now."""
        return self._parts.prompts.current

    @property
    def finished(self) -> bool:
        """Whether `conclude` would not change with more frames."""
        return self._finished

    @property
    def consent(self) -> Consent | None:
        """The act of consent, once there was one."""
        return self._watch.consent if self._watch else None

    def shown(self, at_ns: int, *, refresh_hz: float | None = 60.0) -> None:
        """Tell when the current prompt appeared, on the clock of the frames.

        For a light this is when the first base colour appeared; without it, or where the display
        reports no refresh, the flash cue cannot tell.
        """
        self._parts.prompts.mark_shown(at_ns, refresh_hz=refresh_hz)

    def observe(self, observation: Observation) -> Progress:
        """Take one frame; every frame of the camera, in order."""
        try:
            self._observe(observation)
        except (
            Exception
        ) as error:  # Whatever a frame or a network does, the try ends closed, not the terminal.
            _log.warning("liveness could not judge a frame: %s", type(error).__name__, exc_info=True)
            self._fail(Reason.INTERNAL)
        return self._progress()

    def ask_consent(
        self, shown_at_ns: int, shown: bytes, acts: frozenset[ConsentAct] = frozenset(ConsentAct)
    ) -> Prompt:
        """Start waiting for the act of consent, after payee and amount appeared; keep feeding frames.

        Args:
            shown_at_ns: when they appeared, on the frames' clock.
            shown: digest of what appeared.
            acts: which acts count.
        """
        self._watch = ConsentWatch(shown_at_ns, shown, acts)
        for look in self._looks[-60:]:
            self._watch.observe(look)
        return self._parts.prompts.ask(PromptKind.SMILE)

    def tap(self, at_ns: int) -> Consent | None:
        """The shopper tapped confirm; counts like a smile once the amount could be read."""
        return self._watch.tap(at_ns) if self._watch and not self._parts.integrity.refusals else None

    def conclude(self) -> PadResult:
        """The verdict on everything seen so far; the same answer however often it is asked."""
        if self._result is None:
            self._finished = True
            try:
                self._result = self._judge()
            except Exception:  # A cue that breaks must not let anybody pass, nor take the terminal down.
                _log.exception("liveness could not conclude")
                self._failure = Reason.INTERNAL
                self._result = self._failed()
        return self._result

    def record(self, concluded_at_ns: int) -> Record:
        """What a transcript of this try says, consent included; sign it with `liveness.transcript`."""
        return Record(
            sale=self._parts.sale,
            challenge=self._parts.challenge,
            result=self.conclude(),
            shown=self._parts.prompts.shown,
            frames=self._parts.chain.length,
            concluded_at_ns=concluded_at_ns,
            digests=self._parts.digests,
            consent=self.consent,
        )

    def _observe(self, observation: Observation) -> None:
        parts = self._parts
        self._usable = False
        if self._result is None and self._finished:
            return
        digest = parts.integrity.watch(observation)
        if digest is not None:
            parts.chain.add(observation, digest)
            self._frames += 1
            self._now_ns = observation.captured_at_ns
            self._began_ns = self._began_ns if self._began_ns is not None else self._now_ns
        if parts.integrity.refusals:
            self._finished = True
        elif digest is not None and not parts.integrity.repeated:
            self._look(observation)
        self._check_time()

    def _look(self, observation: Observation) -> None:
        look = self._parts.looker.look(observation)
        if observation.others:
            self._hint = Hint.ONE_PERSON
            return
        if look is None:
            self._hint = Hint.NO_FACE
            return
        self._hint = self._shown_hint(look.hint)
        self._usable = look.hint is Hint.NONE
        if self._watch is not None:
            self._watch.observe(look)
        if self._result is not None:
            return
        self._looks.append(look)
        del self._looks[:-_MAX_LOOKS]
        self._engage(look)
        self._ask_depth(look)
        self._advance()

    def _engage(self, look: Look) -> None:
        if self._engaged_ns is None and look.hint is Hint.NONE:
            self._engaged_ns = look.captured_at_ns
            self._parts.integrity.engage()

    def _ask_depth(self, look: Look) -> None:
        if self._parts.depth is not None and len(self._depth) < _MAX_DEPTH_VIEWS:
            view = self._parts.depth.view(near_ns=look.captured_at_ns, box=look.box, points=look.points)
            if view is not None:
                self._depth.append(view)

    def _advance(self) -> None:
        """Finish when the outcome is clear, otherwise ask for what is still missing."""
        if self._engaged_ns is None:
            return
        results = self._results(final=False)
        rule = self._parts.policy.rule(self._parts.tier)
        if any(result.status is Status.REFUSE for result in results.values()) or satisfied(results, rule):
            self._finished = True
        else:
            answered = {name for name, result in results.items() if result.status is Status.OK}
            self._finished = self._parts.prompts.advance(
                rule.required, answered, results, self._parts.challenge, now_ns=self._now_ns
            )
            if self._finished and self._passive_is_pending(results):
                self._finished = False

    def _passive_is_pending(self, results: Mapping[CueName, CueResult]) -> bool:
        passive = results.get(CueName.PASSIVE)
        return (
            passive is not None
            and Reason.NOT_ENOUGH_FRAMES in passive.reasons
            and not self._parts.prompts.has_given_up
        )

    def _check_time(self) -> None:
        if self._began_ns is None or self._result is not None:
            return
        if (self._now_ns - self._began_ns) / 1e6 > self._parts.policy.tries.session_ms:
            self._fail(Reason.TIMED_OUT)

    def _fail(self, reason: Reason) -> None:
        self._failure = self._failure or reason
        self._finished = True

    def _results(self, *, final: bool) -> dict[CueName, CueResult]:
        presentation = self._presentation()
        weigh = self._parts.calibration.weigh
        results = {name: weigh(cue.assess(presentation)) for name, cue in self._parts.cues.items()}
        if final:
            results[CueName.INTEGRITY] = self._parts.integrity.conclude()
        else:
            results[CueName.INTEGRITY] = CueResult(CueName.INTEGRITY, Status.OK)
        return results

    def _presentation(self) -> Presentation:
        return Presentation(
            looks=tuple(self._looks),
            shown=self._parts.prompts.shown,
            origin=self._parts.origin,
            depth=tuple(self._depth),
            stream_refusals=self._parts.integrity.refusals,
            frames=self._frames,
        )

    def _judge(self) -> PadResult:
        if self._failure is not None and not self._parts.integrity.refusals:
            return self._failed()
        results = self._results(final=True)
        verdict = fuse(results, self._parts.policy, self._parts.tier)
        self._parts.integrity.remember()
        scores = [r.score for r in results.values() if r.score is not None and r.status is not Status.ABSTAIN]
        return PadResult(
            status=verdict.status,
            level=verdict.level,
            score=min(scores, default=0.0),
            reasons=verdict.reasons,
            cues=tuple(results.values()),
            transcript=self._parts.chain.head.hex(),
            step_up=verdict.step_up,
            alarms=self._alarms(),
            llr=verdict.llr,
            origin=self._parts.origin,
        )

    def _failed(self) -> PadResult:
        refusals = self._parts.integrity.refusals
        return PadResult(
            status=PadStatus.REFUSED if refusals else PadStatus.NON_RESPONSE,
            level=None,
            score=0.0,
            reasons=refusals or ((self._failure,) if self._failure else ()),
            cues=(),
            transcript=self._parts.chain.head.hex(),
            origin=self._parts.origin,
        )

    def _alarms(self) -> tuple[Alarm, ...]:
        scales = [look.passive_scale for look in self._looks if look.passive_scale is not None]
        cut_off = bool(scales) and sorted(scales)[len(scales) // 2] < 2.0
        return (Alarm.SURROUNDINGS_CUT_OFF,) if cut_off else ()

    def _shown_hint(self, hint: Hint) -> Hint:
        asked_to_move = self._parts.prompts.current.kind not in (PromptKind.HOLD, PromptKind.FLASH)
        return Hint.NONE if asked_to_move and hint in _POSE_HINTS else hint

    def _progress(self) -> Progress:
        return Progress(
            prompt=self._parts.prompts.current,
            hint=self._hint,
            finished=self._finished,
            fraction=self._fraction(),
            face=self._parts.looker.followed,
            usable=self._usable,
        )

    def _fraction(self) -> float:
        if self._finished:
            return 1.0
        if self._engaged_ns is None:
            return 0.0
        expected_ms = 700.0 + 1400.0 * min(int(self._parts.tier), 2)
        return min(0.99, (self._now_ns - self._engaged_ns) / 1e6 / expected_ms)
