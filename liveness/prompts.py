"""Which prompt stands, when it was shown, and what to ask next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from liveness.challenge import Challenge
from liveness.codebook import schedule_of
from liveness.policy import Alternatives, Tries
from liveness.types import CueName, CueResult, Prompt, PromptKind, Reason, Shown, Status

# Reasons that only more frames can resolve; any other abstention after a prompt is final.
_OPEN = frozenset(
    {
        Reason.NOT_ENOUGH_FRAMES,
        Reason.COVERED,
        Reason.NOT_ASKED,
        Reason.NO_ANSWER,
        Reason.NO_RETURN_TO_NEUTRAL,
    }
)
_ASKABLE = frozenset({CueName.FLASH, CueName.TURN})


class PromptBook:
    """Asks for one missing cue after the other, and gives a cue up when its time is over.

    Args:
        tries: how long a prompt is valid.
        askable: cues this terminal can ask for; without a light FLASH is not among them.
    """

    def __init__(self, tries: Tries, askable: frozenset[CueName]) -> None:
        self._tries = tries
        self._askable = askable
        self._current = Prompt(PromptKind.HOLD, number=0, valid_for_ms=round(tries.session_ms))
        self._shown: list[Shown] = []
        self._asked: dict[CueName, int] = {}
        self._asked_at_ns = 0
        self._wanted_at_ns: dict[CueName, int] = {}
        self._given_up: set[CueName] = set()

    @property
    def current(self) -> Prompt:
        """The standing prompt."""
        return self._current

    @property
    def shown(self) -> tuple[Shown, ...]:
        """Prompts that really appeared, in order."""
        return tuple(self._shown)

    @property
    def has_given_up(self) -> bool:
        """Whether an asked cue could not be answered."""
        return bool(self._given_up)

    def mark_shown(self, at_ns: int, *, refresh_hz: float | None) -> None:
        """The standing prompt appeared; only the first report of each counts."""
        if not any(shown.prompt.number == self._current.number for shown in self._shown):
            self._shown.append(Shown(self._current, at_ns, refresh_hz))

    def ask(self, kind: PromptKind) -> Prompt:
        """Put up a prompt without a challenge."""
        self._current = Prompt(kind, self._current.number + 1, round(self._tries.prompt_ms))
        return self._current

    def advance(
        self,
        required: tuple[Alternatives, ...],
        answered: set[CueName],
        results: Mapping[CueName, CueResult],
        challenge: Challenge,
        *,
        now_ns: int,
    ) -> bool:
        """Ask for what is missing next; True where nothing more can be asked for.

        A cue that cannot tell ends the hope of being accepted, not the questions: what else is asked may
        still speak against the try, and a refusal has to win over an abstention (ADR 0240).
        """
        hopeless = False
        for alternatives in required:
            if answered.intersection(alternatives):
                continue
            askable = [cue for cue in alternatives if cue in _ASKABLE and cue in self._askable]
            ahead = next((cue for cue in askable if cue not in self._given_up), None)
            if ahead and not self._is_given_up(ahead, results.get(ahead), challenge, now_ns):
                return False
            if self._is_waiting(alternatives, results):
                continue
            if not askable and _ASKABLE.intersection(alternatives):
                return True
            hopeless = True
        return hopeless

    def _is_waiting(self, alternatives: Alternatives, results: Mapping[CueName, CueResult]) -> bool:
        """Whether more frames alone could still satisfy this requirement."""
        return any(
            name in results and not _OPEN.isdisjoint(results[name].reasons or (Reason.NOT_MEASURED,))
            for name in alternatives
            if name not in _ASKABLE
        )

    def _is_given_up(self, cue: CueName, result: CueResult | None, challenge: Challenge, now_ns: int) -> bool:
        """Ask for the cue, or wait for its answer; True once its time is over."""
        if cue not in self._asked:
            self._wanted_at_ns.setdefault(cue, now_ns)
            # The flash starts with a base light of its own; a turn is asked for at a random moment.
            delay_ms = challenge.onset_jitter_ms if cue is CueName.TURN else 0
            if now_ns - self._wanted_at_ns[cue] >= delay_ms * 1_000_000:
                self._put_up(cue, challenge, now_ns)
            return False
        if self._is_over(cue, result, now_ns):
            self._given_up.add(cue)
            return True
        return False

    def _put_up(self, cue: CueName, challenge: Challenge, now_ns: int) -> None:
        kind = PromptKind.FLASH if cue is CueName.FLASH else challenge.turn
        prompt = self.ask(kind)
        if cue is CueName.FLASH:
            self._current = replace(prompt, schedule=schedule_of(challenge.code))
        self._asked[cue] = self._current.number
        self._asked_at_ns = now_ns

    def _is_over(self, cue: CueName, result: CueResult | None, now_ns: int) -> bool:
        shown = next((s for s in self._shown if s.prompt.number == self._asked[cue]), None)
        waited_ms = (now_ns - self._asked_at_ns) / 1e6
        if shown is None:
            if cue is not CueName.FLASH and waited_ms > 0:
                # A page that does not report when words appeared is taken to have shown them by now.
                self.mark_shown(now_ns, refresh_hz=None)
            return waited_ms > self._tries.shown_within_ms
        if (now_ns - shown.at_ns) / 1e6 > self._tries.prompt_ms:
            return True
        return result is not None and result.status is Status.ABSTAIN and _OPEN.isdisjoint(result.reasons)
