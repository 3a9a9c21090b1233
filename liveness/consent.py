"""The consent act of smile-to-pay: a smile, a nod or a tap, all worth the same.

Armed only after amount and payee have been on screen for 0.8 s. A smile must rise from a neutral
face after arming and be held for half a second; somebody who is already smiling relaxes first. The
act is recorded with what was on screen, so that it can be signed. A smile is an act here, never a
feeling, and never evidence of life.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from liveness.gesture import SHAPES, pitch_of, smile_of
from liveness.types import Look, PromptKind

ARM_AFTER_MS = 800.0
WINDOW_MS = 6000.0
HOLD_MS = 500.0
NEUTRAL_MS = 500.0
NOD_MAX_MS = 1500.0


class ConsentAct(Enum):
    """How the shopper agreed."""

    SMILE = "smile"
    NOD = "nod"
    TAP = "tap"


@dataclass(frozen=True, slots=True)
class Consent:
    """One act of consent; times in ns on the frames' clock (a tap's on the caller's, same clock).

    `shown` is the digest of what stood on screen: amount, currency, payee and masked account.
    """

    act: ConsentAct
    at_ns: int
    shown_at_ns: int
    shown: bytes
    peak: float | None = None


class ConsentWatch:
    """Waits for one act after something was shown.

    Args:
        shown_at_ns: when amount and payee appeared, on the frames' clock.
        shown: digest of what appeared.
        acts: which acts count; a shopper may have opted for tap only.
    """

    def __init__(
        self, shown_at_ns: int, shown: bytes, acts: frozenset[ConsentAct] = frozenset(ConsentAct)
    ) -> None:
        self._shown_at_ns = shown_at_ns
        self._shown = shown
        self._acts = acts
        self._smile = _Rise(SHAPES[PromptKind.SMILE].rise, SHAPES[PromptKind.SMILE].release)
        self._nod = _Rise(SHAPES[PromptKind.NOD].rise, SHAPES[PromptKind.NOD].release)
        self._sees = False
        self.consent: Consent | None = None

    def observe(self, look: Look) -> Consent | None:
        """Feed one look, also those before the amount was shown; they give the neutral face."""
        self._sees = self._sees or look.mesh is not None
        if self.consent is None and look.mesh is not None:
            now = look.captured_at_ns
            armed = self.is_armed(now)
            smiling = self._smile.feed(now, smile_of(look), armed=armed)
            nodding = self._nod.feed(now, pitch_of(look), armed=armed)
            if ConsentAct.SMILE in self._acts and smiling.held_ms >= HOLD_MS:
                self._record(ConsentAct.SMILE, now, smiling.peak)
            elif ConsentAct.NOD in self._acts and 0 < nodding.returned_after_ms <= NOD_MAX_MS:
                self._record(ConsentAct.NOD, now, nodding.peak)
        return self.consent

    def tap(self, at_ns: int) -> Consent | None:
        """A tap on the confirm button; one before the amount could be read does not count."""
        # A button is pressed on purpose, however long somebody reads first; only faces move by themselves.
        readable = (at_ns - self._shown_at_ns) / 1e6 >= ARM_AFTER_MS
        if self.consent is None and ConsentAct.TAP in self._acts and readable:
            self._record(ConsentAct.TAP, at_ns, None)
        return self.consent

    def is_armed(self, now_ns: int) -> bool:
        """Whether a smile or a nod counts now."""
        since_ms = (now_ns - self._shown_at_ns) / 1e6
        return ARM_AFTER_MS <= since_ms <= ARM_AFTER_MS + WINDOW_MS

    def awaits_gesture(self, now_ns: int) -> bool:
        """Whether a smile or a nod can still be the act: there are landmarks, and the window is not over."""
        return self._sees and self._acts != {ConsentAct.TAP} and not self.has_ended(now_ns)

    def has_ended(self, now_ns: int) -> bool:
        """Whether the window closed without an act."""
        past = (now_ns - self._shown_at_ns) / 1e6 > ARM_AFTER_MS + WINDOW_MS
        return self.consent is None and past

    def _record(self, act: ConsentAct, at_ns: int, peak: float | None) -> None:
        self.consent = Consent(act, at_ns, self._shown_at_ns, self._shown, peak)


@dataclass(frozen=True, slots=True)
class _Motion:
    held_ms: float = 0.0
    returned_after_ms: float = 0.0
    peak: float = 0.0


class _Rise:
    """Follows one signal: its neutral value, a rise after arming, and how long it holds."""

    def __init__(self, rise: float, release: float) -> None:
        self._rise = rise
        self._release = release
        self._recent: list[tuple[int, float]] = []
        self._reference: float | None = None
        self._was_neutral = False
        self._began_ns: int | None = None
        self._above_ns: int | None = None
        self._peak = 0.0

    def feed(self, at_ns: int, value: float, *, armed: bool) -> _Motion:
        self._learn(at_ns, value)
        if self._reference is None or not armed:
            return _Motion()
        over = value - self._reference
        if over < self._release:
            ended = self._ended(at_ns)
            self._was_neutral, self._began_ns, self._above_ns, self._peak = True, None, None, 0.0
            return ended
        if not self._was_neutral:
            return _Motion()
        self._began_ns = self._began_ns or at_ns
        self._peak = max(self._peak, over)
        self._above_ns = (self._above_ns or at_ns) if over >= self._rise else None
        held_ms = (at_ns - self._above_ns) / 1e6 if self._above_ns else 0.0
        return _Motion(held_ms=held_ms, peak=self._peak)

    def _learn(self, at_ns: int, value: float) -> None:
        """The neutral value is the lowest median over half a second seen so far."""
        self._recent.append((at_ns, value))
        while at_ns - self._recent[0][0] > NEUTRAL_MS * 1e6:
            del self._recent[0]
        if len(self._recent) >= 3 and at_ns - self._recent[0][0] >= NEUTRAL_MS * 0.6e6:
            median = float(np.median([v for _, v in self._recent]))
            self._reference = median if self._reference is None else min(self._reference, median)

    def _ended(self, at_ns: int) -> _Motion:
        if self._began_ns is None or self._peak < self._rise:
            return _Motion()
        return _Motion(returned_after_ms=(at_ns - self._began_ns) / 1e6, peak=self._peak)
