"""What has to be done between sales: finish open captures and voids, forward, sign checkpoints, rotate."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from facepay.errors import FacepayError
from facepay.psp.base import PspError
from facepay.psp.offline import OfflineProvider
from facepay.terminal.money import MoneySide
from keys import KeysError

log = logging.getLogger(__name__)
EVERY_S = 20.0


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
