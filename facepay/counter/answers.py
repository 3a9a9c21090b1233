"""What people answer during one sale: each answer is given once and waited for with a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from enum import Enum

from facepay.errors import Cancelled, ChoseCard, FailureToAcquire


class Answer(Enum):
    """What a shopper or cashier can press; `CODE` is what a scanner read of the shopper's own code.

    `NO_LIGHT` comes with the beginning of a sale: the screen is to shine no light at this shopper.
    """

    NO_LIGHT = "no_light"
    TAP = "tap"
    SHOW_CODE = "show_code"
    CODE = "code"
    CONFIRM = "confirm"
    DIGITS = "digits"
    CARD = "card"
    CANCEL = "cancel"


class Answers:
    """The answers to one sale. Card and cancel end every wait at once, whoever gives them."""

    def __init__(self, sale: str) -> None:
        self.sale = sale
        self._given: dict[Answer, str] = {}
        self._lights: dict[int, int] = {}
        self._changed = threading.Condition()

    def report_light(self, number: int, at_ns: int) -> None:
        """The page shone the colours of prompt `number`; the first at monotonic `at_ns`."""
        self._lights.setdefault(number, at_ns)

    def find_light(self, number: int) -> int | None:
        """When the colours of a prompt began, or None as long as no page said so."""
        return self._lights.get(number)

    def give(self, answer: Answer, text: str = "") -> None:
        """Record an answer; digits carry their text."""
        with self._changed:
            self._given[answer] = text
            self._changed.notify_all()

    def forget(self, answer: Answer) -> None:
        """Drop an answer given before it was asked for, so that it cannot count for a later question."""
        with self._changed:
            self._given.pop(answer, None)

    def has(self, answer: Answer) -> bool:
        """Whether an answer was given."""
        return answer in self._given

    @property
    def ended(self) -> bool:
        """Whether somebody chose the card or cancelled."""
        return Answer.CARD in self._given or Answer.CANCEL in self._given

    def require_going_on(self) -> None:
        """Raise as soon as somebody has ended the sale.

        Raises:
            ChoseCard: the card was chosen.
            Cancelled: the cashier or the shopper cancelled.
        """
        given = self._given
        if Answer.CARD in given:
            raise ChoseCard("the card was chosen")
        if Answer.CANCEL in given:
            raise Cancelled("the sale was cancelled at the counter")

    def take(self, answer: Answer) -> str | None:
        """The text of an answer that was given, once; None where it was not."""
        with self._changed:
            return self._given.pop(answer, None)

    def wait(self, answer: Answer, timeout_s: float) -> str:
        """Wait for one answer and return its text; raises as `wait_any`."""
        return self.wait_any((answer,), timeout_s)[1]

    def wait_any(self, wanted: Collection[Answer], timeout_s: float) -> tuple[Answer, str]:
        """Wait at most `timeout_s` for the first of some answers; which it was, and its text.

        Raises:
            ChoseCard, Cancelled: somebody ended the sale.
            FailureToAcquire: nobody answered in time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            with self._changed:
                self.require_going_on()
                for answer in wanted:
                    if answer in self._given:
                        return answer, self._given.pop(answer)
                left = deadline - time.monotonic()
                if left <= 0:
                    names = " or ".join(answer.value for answer in wanted)
                    raise FailureToAcquire(f"nobody answered {names} within {timeout_s:g} s")
                self._changed.wait(left)
