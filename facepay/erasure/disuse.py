"""Erases payers who have not paid with their face for as long as they agreed to (ADR 0321)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from facepay.gallery import EnrolledSubject

log = logging.getLogger(__name__)
DAY_MS = 86_400_000
EVERY_S = 6 * 3600.0
AT_ONCE = 20
"""Erasures in one round; the rest wait for the next one, twenty seconds later."""
PLAUSIBLE_SHARE = 0.1
"""More of the payers than this come due together only where the clock is wrong."""


class Disuse:
    """Who is due, and a chore that lets them go.

    Args:
        payers: everybody who is enrolled.
        last_paid_ms: when an account paid last by face at any terminal of the merchant; None: never.
        leave: erases one.
        days: how long without a payment.
        now_ms: the time of day.
        clock: seconds, by which the chore looks every six hours.
    """

    def __init__(
        self,
        payers: Callable[[], Sequence[EnrolledSubject]],
        last_paid_ms: Callable[[str], int | None],
        leave: Callable[[EnrolledSubject], object],
        *,
        days: int,
        now_ms: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._payers = payers
        self._last_paid_ms = last_paid_ms
        self._leave = leave
        self._days = days
        self._now_ms = now_ms
        self._clock = clock
        self._next = clock()

    def due(self) -> tuple[EnrolledSubject, ...]:
        """The payers whose time is over, counted from the last payment, else from the enrolment."""
        return self._due(self._payers())

    def __call__(self) -> None:
        """Every six hours let those go who are due; a clock that jumped lets nobody go."""
        if self._clock() < self._next:
            return
        everybody = self._payers()
        due = self._due(everybody)
        if len(due) > max(1, PLAUSIBLE_SHARE * len(everybody)):
            log.critical(
                "%d of %d payers have not paid for %d days, if the clock is right: look at it, then type "
                "facepay erase --unused",
                len(due),
                len(everybody),
                self._days,
            )
            due = ()
        for payer in due[:AT_ONCE]:
            self._leave(payer)
            log.warning("payer %s is erased: no payment for %d days", payer.subject, self._days)
        if len(due) <= AT_ONCE:
            self._next = self._clock() + EVERY_S

    def _due(self, everybody: Sequence[EnrolledSubject]) -> tuple[EnrolledSubject, ...]:
        before_ms = self._now_ms() - self._days * DAY_MS
        return tuple(
            payer
            for payer in everybody
            if payer.enrolled_at_ms < before_ms and (self._last_paid_ms(payer.account) or 0) < before_ms
        )
