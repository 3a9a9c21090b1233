"""Things that happen unless somebody acts in time; none of them after the terminal was closed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Deadline:
    """One of them; calling it off after its time, or twice, does no harm."""

    def __init__(self, timer: threading.Timer, forget: Callable[[threading.Timer], None]) -> None:
        self._timer = timer
        self._forget = forget

    def cancel(self) -> None:
        """It will not happen, unless it already does."""
        self._timer.cancel()
        self._forget(self._timer)


class Deadlines:
    """All deadlines of a terminal's wires. Each runs in a thread of its own, since it may ask a provider."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._timers: set[threading.Timer] = set()
        self._closed = False

    def after(self, seconds: float, do: Callable[[], object], what: str) -> Deadline:
        """Call `do` in `seconds`; what it raises is logged under the name `what`.

        After `close` nothing is armed: what is open then is settled at the next start.
        """
        timer = threading.Timer(seconds, lambda: self._run(timer, do, what))
        timer.daemon = True
        with self._guard:
            if not self._closed:
                self._timers.add(timer)
                timer.start()
        return Deadline(timer, self._discard)

    def _run(self, timer: threading.Timer, do: Callable[[], object], what: str) -> None:
        try:
            do()
        except Exception:
            _log.exception("%s failed", what)
        finally:
            self._discard(timer)

    def _discard(self, timer: threading.Timer) -> None:
        with self._guard:
            self._timers.discard(timer)

    def close(self, patience_s: float = 10.0) -> None:
        """Call off what is still to come, and wait for what already happens, at most so long each."""
        with self._guard:
            self._closed = True
            left = list(self._timers)
        for timer in left:
            timer.cancel()
        for timer in left:
            if timer is not threading.current_thread():
                timer.join(patience_s)
