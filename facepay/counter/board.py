"""The counter: the current view, who watches it, and the answers to the sale on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

from facepay.counter.answers import Answer, Answers
from facepay.counter.view import IDLE, SaleView


class Counter:
    """Shows one sale at a time to any number of pages, and takes what people press.

    A watcher that is slow misses views in between, never the newest one: state reaches pages, not a
    history.
    """

    def __init__(self) -> None:
        self._view = IDLE
        self._answers: Answers | None = None
        self._changed = threading.Condition()
        self._closed = False

    @property
    def view(self) -> SaleView:
        """What is shown now."""
        return self._view

    def show(self, view: SaleView) -> None:
        """Replace what is shown; every watcher gets it."""
        with self._changed:
            self._view = replace(view, revision=self._view.revision + 1)
            self._changed.notify_all()

    def change(self, **changes: object) -> None:
        """Show the current view with some fields changed; does nothing when nothing changes."""
        with self._changed:
            # The names of the fields are checked by replace itself; their values come from callers
            # that mypy sees through SaleView's own annotations.
            view = replace(self._view, **changes)  # type: ignore[arg-type]
            if view != self._view:
                self._view = replace(view, revision=self._view.revision + 1)
                self._changed.notify_all()

    def subscribe(self, heartbeat_s: float = 15.0) -> Iterator[SaleView | None]:
        """Yield the current view, then each newer one; None every `heartbeat_s` without news.

        The iterator ends when the counter closes.
        """
        seen = -1
        while not self._closed:
            view = self._newer(seen, heartbeat_s)
            if self._closed:
                return
            yield view if view.revision != seen else None
            seen = view.revision

    def _newer(self, seen: int, timeout_s: float) -> SaleView:
        with self._changed:
            self._changed.wait_for(lambda: self._view.revision != seen or self._closed, timeout_s)
            return self._view

    def open(self, sale: str) -> Answers:
        """Start taking answers for a sale; answers to any earlier sale are dropped."""
        self._answers = Answers(sale)
        return self._answers

    def close(self) -> None:
        """End every subscription."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def spare_light(self, sale: str = "") -> bool:
        """The shopper wants no light of the screen; told before the tap or the code that begins the sale."""
        return self._give(Answer.NO_LIGHT, sale)

    def tap(self, sale: str = "") -> bool:
        """The shopper agrees to be looked at. False when there is no such sale."""
        return self._give(Answer.TAP, sale)

    def show_code(self, sale: str = "") -> bool:
        """The shopper agrees to hold their own code before the camera, and then to be looked at."""
        return self._give(Answer.SHOW_CODE, sale)

    def enter_code(self, code: str, sale: str = "") -> bool:
        """A scanner or a paste has brought the shopper's own code."""
        return self._give(Answer.CODE, sale, code)

    def confirm(self, sale: str = "") -> bool:
        """The shopper accepts amount, payee and account."""
        return self._give(Answer.CONFIRM, sale)

    def enter_digits(self, digits: str, sale: str = "") -> bool:
        """The shopper has typed a code."""
        return self._give(Answer.DIGITS, sale, digits)

    def report_light(self, number: int, at_ns: int, sale: str = "") -> bool:
        """The page shone the light of prompt `number`, its first colour at monotonic `at_ns`."""
        answers = self._answers
        if answers is None or (sale and sale != answers.sale):
            return False
        answers.report_light(number, at_ns)
        return True

    def choose_card(self, sale: str = "") -> bool:
        """Shopper or cashier takes the card instead; works at every moment."""
        return self._give(Answer.CARD, sale)

    def cancel(self, sale: str = "") -> bool:
        """Shopper or cashier ends the sale."""
        return self._give(Answer.CANCEL, sale)

    def _give(self, answer: Answer, sale: str, text: str = "") -> bool:
        answers = self._answers
        if answers is None or (sale and sale != answers.sale):
            return False
        answers.give(answer, text)
        return True
