"""What people answer during one sale: each answer is given once and waited for with a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum

from facepay.errors import Cancelled, ChoseCard, FailureToAcquire


class Answer(Enum):
    """What a shopper or cashier can press."""

    TAP = "tap"
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

    def wait(self, answer: Answer, timeout_s: float, meanwhile: Callable[[], bool] | None = None) -> str:
        """Wait for one answer and return its text.

        Args:
            answer: what is waited for.
            timeout_s: how long at most.
            meanwhile: polled between looks; true counts as the answer (a smile instead of a tap).

        Raises:
            ChoseCard, Cancelled: somebody ended the sale.
            FailureToAcquire: nobody answered in time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            with self._changed:
                self.require_going_on()
                if answer in self._given:
                    return self._given.pop(answer)
                left = deadline - time.monotonic()
                if left <= 0:
                    raise FailureToAcquire(f"nobody answered {answer.value} within {timeout_s:g} s")
                if meanwhile is None:
                    self._changed.wait(left)
            if meanwhile is not None and meanwhile():
                return ""
