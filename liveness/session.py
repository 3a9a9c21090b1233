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
from dataclasses import replace

from liveness.challenge import Sale
from liveness.consent import Consent, ConsentAct, ConsentWatch
from liveness.gathering import Gathering
from liveness.judge import Judge
from liveness.parts import SessionParts
from liveness.transcript import Record
from liveness.turn import SIDES
from liveness.types import (
    Alarm,
    CueName,
    CueResult,
    Hint,
    Look,
    Observation,
    PadResult,
    Progress,
    Prompt,
    PromptKind,
    Reason,
    Status,
    Tier,
)

_log = logging.getLogger(__name__)
_POSE_HINTS = frozenset({Hint.LOOK_HERE, Hint.HOLD_STILL, Hint.UNCOVER})
"""What somebody who moves as asked must not be told; a turned face hides parts of itself."""
_CEREMONY_MS = 10_000.0
"""The longest that somebody who agreed to it is asked to keep still for the pulse."""


class LivenessSession:
    """One try for one tier. Not thread-safe; one thread feeds it."""

    def __init__(self, parts: SessionParts) -> None:
        self._parts = parts
        self._judge = Judge(parts)
        self._seen = Gathering(parts.origin, parts.depth)
        self._hint = Hint.NO_FACE
        self._usable = False
        self._finished = bool(parts.integrity.refusals)
        self._failure: Reason | None = None
        self._alarms: dict[Alarm, None] = {}
        self._result: PadResult | None = None
        self._watch: ConsentWatch | None = None

    @property
    def tier(self) -> Tier:
        """The tier this try was opened for."""
        return self._parts.tier

    @property
    def sale(self) -> Sale:
        """What this try is bound to."""
        return self._parts.sale

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

    @property
    def exposure_pattern(self) -> tuple[int, ...]:
        """Exposure steps -1, 0, +1 for the probe; empty until a frame is in the chain."""
        return self._parts.challenge.exposure if self._parts.chain.length else ()

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
        self._parts.integrity.resume()
        self._watch = ConsentWatch(shown_at_ns, shown, acts)
        for look in self._seen.latest(60):
            self._watch.observe(look)
        return self._parts.prompts.ask(PromptKind.SMILE)

    def awaits_gesture(self, now_ns: int) -> bool:
        """Whether a smile or a nod can still be the act of consent: in its window, seen by landmarks."""
        return self._watch is not None and self._watch.awaits_gesture(now_ns)

    def tap(self, at_ns: int) -> Consent | None:
        """The shopper tapped confirm; counts like a smile once the amount could be read."""
        return self._watch.tap(at_ns) if self._watch and not self._parts.integrity.refusals else None

    def note_alarm(self, alarm: Alarm) -> None:
        """Put on record what the capture noticed about camera or light; it refuses nobody."""
        self._alarms.setdefault(alarm)

    def conclude(self) -> PadResult:
        """The verdict on everything seen so far; the same however often it is asked, alarms apart."""
        if self._result is None:
            self._finished = True
            try:
                self._result = self._conclude()
            except Exception:  # A cue that breaks must not let anybody pass, nor take the terminal down.
                _log.exception("liveness could not conclude")
                self._result = self._judge.failed(Reason.INTERNAL)
        if self._result.alarms != tuple(self._alarms):
            self._result = replace(self._result, alarms=tuple(self._alarms))
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

    def _conclude(self) -> PadResult:
        if self._seen.is_cut_off():
            self.note_alarm(Alarm.SURROUNDINGS_CUT_OFF)
        # Also what was refused or could not be judged must not be presented again.
        self._parts.integrity.remember()
        if self._failure is not None and not self._parts.integrity.refusals:
            return self._judge.failed(self._failure)
        shown, refusals = self._parts.prompts.shown, self._parts.integrity.refusals
        return self._judge.conclude(self._seen.presentation(shown, refusals))

    def _observe(self, observation: Observation) -> None:
        parts = self._parts
        self._usable = False
        if self._result is None and self._finished:
            return
        digest = parts.integrity.watch(observation)
        if digest is not None:
            parts.chain.add(observation, digest)
            self._seen.count(observation.captured_at_ns)
        if parts.integrity.refusals:
            self._finished = True
        elif parts.integrity.stalled and self._result is None:
            self._fail(Reason.STALLED)
        elif digest is not None and not parts.integrity.repeated:
            self._look(observation)
        if self._result is None and self._seen.elapsed_ms > parts.policy.tries.session_ms:
            self._fail(Reason.TIMED_OUT)

    def _look(self, observation: Observation) -> None:
        self._parts.looker.follow_turn(asked=self._parts.prompts.current.kind in SIDES)
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
        if self._result is None:
            self._keep(look)

    def _keep(self, look: Look) -> None:
        if self._seen.add(look):
            self._parts.integrity.engage()
        if self._seen.engaged_ns is not None:
            self._advance()

    def _advance(self) -> None:
        """Finish when the outcome is clear, otherwise ask for what is still missing."""
        parts = self._parts
        results = self._judge.assess(self._seen.presentation(parts.prompts.shown, ()))
        if self._judge.is_clear(results):
            self._finished = not self._listens(results)
            return
        answered = {name for name, result in results.items() if result.status is Status.OK}
        required = parts.policy.rule(parts.tier).required
        over = parts.prompts.advance(required, answered, results, parts.challenge, now_ns=self._seen.now_ns)
        self._finished = over and not self._passive_is_pending(results)

    def _listens(self, results: Mapping[CueName, CueResult]) -> bool:
        """Whether only the pulse is still missing, for which the shopper agreed to keep still."""
        pulse = results.get(CueName.PULSE)
        refused = any(result.status is Status.REFUSE for result in results.values())
        patient = self._seen.engaged_ms < _CEREMONY_MS
        return pulse is not None and pulse.status is not Status.OK and patient and not refused

    def _passive_is_pending(self, results: Mapping[CueName, CueResult]) -> bool:
        passive = results.get(CueName.PASSIVE)
        return (
            passive is not None
            and Reason.NOT_ENOUGH_FRAMES in passive.reasons
            and not self._parts.prompts.has_given_up
        )

    def _fail(self, reason: Reason) -> None:
        self._failure = self._failure or reason
        self._finished = True

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
        if self._finished or self._seen.engaged_ns is None:
            return 1.0 if self._finished else 0.0
        listening = CueName.PULSE in self._parts.cues
        expected_ms = _CEREMONY_MS if listening else 700.0 + 1400.0 * min(int(self._parts.tier), 2)
        return min(0.99, self._seen.engaged_ms / expected_ms)
