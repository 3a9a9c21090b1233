"""What has to be done between sales: finish open captures and voids, forward, sign checkpoints, rotate."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import Self

from facepay.errors import FacepayError
from facepay.psp.base import PspError
from facepay.psp.offline import OfflineProvider
from facepay.settlement import Settlement
from facepay.terminal.money import MoneySide
from keys import KeysError
from pos_adapter.types import TransactionId

log = logging.getLogger(__name__)
EVERY_S = 20.0
SILENCE_S = 60.0
"""How long after a start a till may ask again that was cut off inside an approval (ADR 0230)."""


class Silence:
    """A chore: captures what was being told when an earlier run died, once its tills had time to ask."""

    def __init__(
        self,
        settlement: Settlement,
        telling: Collection[TransactionId],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settlement = settlement
        self._telling = telling
        self._clock = clock
        self._until = clock() + SILENCE_S

    def __call__(self) -> None:
        """Once, when the time is over."""
        if self._telling and self._clock() >= self._until:
            for entry in self._settlement.take_silence(self._telling):
                log.warning("payment %s: its till asked nothing, so it had heard: captured", entry.payment)
            self._telling = ()


class Bookkeeper:
    """A thread that keeps the books tidy while the terminal runs; a context manager.

    `chores` are what others need done from time to time; each is called once a round and returns soon.
    """

    def __init__(
        self, money: MoneySide, *, every_s: float = EVERY_S, chores: Sequence[Callable[[], object]] = ()
    ) -> None:
        self._money = money
        self._chores = chores
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bookkeeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(timeout=5.0)

    def tidy(self) -> None:
        """One round; a failure is logged and left to the next round."""
        try:
            settled = self._money.settlement.finish()
            if not settled.clean:
                log.warning("%d payments still wait for the provider", len(settled.still_open))
            if isinstance(self._money.provider, OfflineProvider):
                self._money.provider.forward()
            self._money.checkpoints.tick()
            self._money.database.tidy()
            for chore in self._chores:
                chore()
        except (FacepayError, PspError, KeysError) as failure:
            log.error("the books could not be tidied: %s", failure)

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            self.tidy()
