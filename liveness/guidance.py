"""One hint at a time, steady enough to be read: the way from the gate's verdicts to the screen.

A hint must stand for 120 ms before it appears and then stays for at least 600 ms, unless the shopper
did what it asked. The most blocking hint is chosen per frame by `liveness.quality`; here it is only
kept from flickering.
"""

from __future__ import annotations

from dataclasses import dataclass

from liveness.types import Hint

APPEAR_AFTER_MS = 120.0
STAY_MS = 600.0


@dataclass(frozen=True, slots=True)
class HintView:
    """What page and voice need: a key for the words and the name of an icon; never about attacks."""

    hint: Hint
    words: str
    icon: str


_ICONS: dict[Hint, str] = {
    Hint.NONE: "oval",
    Hint.NO_FACE: "search",
    Hint.ONE_PERSON: "one-person",
    Hint.COME_CLOSER: "arrow-in",
    Hint.STEP_BACK: "arrow-out",
    Hint.CENTRE: "centre",
    Hint.LOOK_HERE: "arrow-camera",
    Hint.HOLD_STILL: "pause",
    Hint.MORE_LIGHT: "lamp",
    Hint.LESS_LIGHT: "shade",
    Hint.UNCOVER: "uncover",
}


class Guide:
    """Keeps the shown hint from flickering."""

    def __init__(self) -> None:
        self._shown = Hint.NONE
        self._shown_at_ns: int | None = None
        self._wanted = Hint.NONE
        self._wanted_at_ns = 0

    def feed(self, hint: Hint, *, at_ns: int) -> Hint:
        """The hint to show now.

        Args:
            hint: the verdict on the latest frame.
            at_ns: when the frame was taken.
        """
        if hint is not self._wanted or at_ns < self._wanted_at_ns:
            self._wanted, self._wanted_at_ns = hint, at_ns
        if self._wanted is not self._shown and self._may_change(at_ns):
            self._shown, self._shown_at_ns = self._wanted, at_ns
        return self._shown

    def _may_change(self, at_ns: int) -> bool:
        wanted_ms = (at_ns - self._wanted_at_ns) / 1e6
        shown_ms = STAY_MS if self._shown_at_ns is None else (at_ns - self._shown_at_ns) / 1e6
        return wanted_ms >= APPEAR_AFTER_MS and (self._shown is Hint.NONE or shown_ms >= STAY_MS)


def view_of(hint: Hint) -> HintView:
    """Words key and icon of a hint."""
    return HintView(hint, f"hint.{hint.value}", _ICONS[hint])
