"""Asks a provider until its answer is clear, or patience is spent.

An error a driver calls certain is a fact. Any other one, foreseen or not, says nothing about the money:
the answer is UNKNOWN.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from facepay.psp.base import Answer, Authorisation, Movement, Order, PaymentProvider, PspError, Stage

Reply = TypeVar("Reply", Authorisation, Movement)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often an unclear answer is asked for again, and how long between, doubling each time."""

    tries: int = 4
    pause_s: float = 0.25

    def pauses(self) -> tuple[float, ...]:
        """Seconds to wait before each further try."""
        return tuple(self.pause_s * 2**n for n in range(self.tries - 1))


class Asking:
    """One provider, asked with patience; `wait` sleeps for some seconds."""

    def __init__(
        self, provider: PaymentProvider, wait: Callable[[float], object], patience: Patience
    ) -> None:
        self._provider = provider
        self._wait = wait
        self._patience = patience

    def authorise(self, order: Order) -> Authorisation:
        """Ask once for a hold; UNKNOWN where nobody can say what became of it.

        Raises:
            PspError: With `certain` set: nothing was held.
        """
        try:
            return self._provider.authorise(order)
        except PspError as error:
            if error.certain:
                raise
            _log.error("order %s: the provider's answer is unclear: %s", order.key, error)
        except Exception:
            # A driver that breaks in a way nobody foresaw may have charged before it broke.
            _log.exception("order %s: the provider's driver broke", order.key)
        return _unknown(order)

    def find(self, order: Order) -> Authorisation:
        """Ask what became of an order until it is clear; UNKNOWN where it never was."""

        def found() -> Authorisation:
            # An order the provider has not seen may still be on its way: unclear until it is barred.
            return self._provider.find(order) or _unknown(order)

        return self.repeat(found) or _unknown(order)

    def repeat(self, ask: Callable[[], Reply]) -> Reply | None:
        """Ask until the answer is clear or patience is spent; None means still unclear."""
        for pause_s in (0.0, *self._patience.pauses()):
            if pause_s:
                self._wait(pause_s)
            try:
                reply = ask()
            except PspError as error:
                _log.warning("the provider does not answer: %s", error)
                continue
            except Exception:
                # The same rule as in `authorise`: a broken driver says nothing about the money.
                _log.exception("the provider's driver broke")
                continue
            if reply.answer is not Answer.UNKNOWN:
                return reply
        return None


def _unknown(order: Order) -> Authorisation:
    return Authorisation(order, Answer.UNKNOWN, Stage.NONE)
