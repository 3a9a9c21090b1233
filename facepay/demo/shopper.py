"""The simulated shopper: sees what the kiosk shows, and does what a shopper would do."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from facepay.counter import Counter, Phase, SaleView


@dataclass(slots=True)
class Manners:
    """How the shopper of the next sale behaves."""

    pin: str = field(default="", repr=False)
    taps: bool = True
    light: bool = True
    types: bool = True
    confirms: bool = True
    takes_card: bool = False
    code: str = field(default="", repr=False)
    """The shopper's own code, given to a scanner."""
    shows_code: bool = False
    """Whether the shopper holds the code before the camera instead."""


class Shopper:
    """Follows the counter in a thread of its own and answers; a context manager."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._thread = threading.Thread(target=self._follow, name="shopper", daemon=True)
        self.manners = Manners()
        self.seen: list[str] = []
        """What the kiosk showed during the latest sale, each phase or hint once in a row."""

    def __enter__(self) -> Shopper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._counter.close()
        self._thread.join(2)

    def _follow(self) -> None:
        for view in self._counter.subscribe(0.5):
            if view is not None:
                self._note(view)
                self._answer(view)

    def _note(self, view: SaleView) -> None:
        word = view.hint or view.phase.value
        if view.phase is Phase.OFFERED:
            self.seen.clear()
        if not self.seen or self.seen[-1] != word:
            self.seen.append(word)

    def _answer(self, view: SaleView) -> None:
        manners = self.manners
        if view.phase is Phase.OFFERED and manners.takes_card:
            self._counter.choose_card(view.sale)
        elif view.phase is Phase.OFFERED and manners.shows_code:
            self._counter.show_code(view.sale)
        elif view.phase is Phase.OFFERED and manners.code:
            self._counter.enter_code(manners.code, view.sale)
        elif view.phase is Phase.OFFERED and manners.taps:
            if not manners.light:
                self._counter.spare_light(view.sale)
            self._counter.tap(view.sale)
        elif view.phase is Phase.FACTOR and manners.types:
            self._counter.enter_digits(manners.pin, view.sale)
        elif view.phase is Phase.CONFIRM and manners.confirms:
            self._counter.confirm(view.sale)
