"""What a request means, on wires without a key, that repeats an approval the till did not acknowledge.

Concert and Caisse-AP carry no transaction id: a till that lost the answer can only ask again. Within the
window the same till and amount are taken for such a repetition. `ASK` voids the old approval at once and
marks the new sale, so that the shopper is asked on the screen; `RETURN` keeps the old approval for the
window and answers it again, without a second sale.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from pos_adapter.deadlines import Deadlines
from pos_adapter.sale import Sale
from pos_adapter.types import Money


class Repetition(Enum):
    """The shop's choice."""

    ASK = "ask"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class RepetitionOptions:
    """The choice, and for how many seconds a repetition is taken for one."""

    choice: Repetition = Repetition.ASK
    window_s: float = 60.0


@dataclass(frozen=True, slots=True)
class _Unheard:
    till: str
    amount: Money
    sale: Sale
    until: float


class RepetitionWatch:
    """Remembers the last approval nobody acknowledged, for one wire of one terminal."""

    def __init__(
        self,
        deadlines: Deadlines,
        options: RepetitionOptions | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deadlines = deadlines
        self._options = options or RepetitionOptions()
        self._clock = clock
        self._guard = threading.Lock()
        self._unheard: _Unheard | None = None

    @property
    def answers_again(self) -> bool:
        """Whether a repetition gets the old approval (`RETURN`)."""
        return self._options.choice is Repetition.RETURN

    def remember(self, till: str, amount: Money, sale: Sale) -> None:
        """An approval was sent and not acknowledged: void it now, or keep it for the window."""
        unheard = _Unheard(till, amount, sale, self._clock() + self._options.window_s)
        with self._guard:
            earlier, self._unheard = self._unheard, unheard
        if earlier is not None:
            earlier.sale.settle(learned=False)
        if self._options.choice is Repetition.ASK:
            sale.settle(learned=False)
            return
        sale.keep()
        self._deadlines.after(
            self._options.window_s, lambda: self._expire(unheard), "giving up a kept approval"
        )

    def _expire(self, unheard: _Unheard) -> None:
        with self._guard:
            if self._unheard is not unheard:
                return
            self._unheard = None
        unheard.sale.settle(learned=False)

    def claim(self, till: str, amount: Money) -> tuple[Sale | None, bool]:
        """A new request came: the kept sale it repeats (or None), and whether it may be a duplicate."""
        with self._guard:
            unheard, self._unheard = self._unheard, None
        if unheard is None:
            return None, False
        same = (unheard.till, unheard.amount) == (till, amount) and self._clock() < unheard.until
        if same and self.answers_again:
            return unheard.sale, True
        unheard.sale.settle(learned=False)
        return None, same
