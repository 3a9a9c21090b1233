"""Things that happen unless somebody acts in time; none of them after the terminal was closed.

One thread waits for all of them: a timer each would start a thread while a till waits for its answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_log = logging.getLogger(__name__)
_LINGERS_S = 30.0
"""How long the waiting thread stays when nothing waits; a till's next payment finds it there."""


@dataclass(frozen=True, slots=True, eq=False)
class Deadline:
    """One of them: when it is due (monotonic seconds), what happens, and what that is called in the log."""

    due: float
    do: Callable[[], object]
    what: str
    forget: Callable[[Deadline], None]

    def cancel(self) -> None:
        """It will not happen, unless it already does; after its time, or twice, this does no harm."""
        self.forget(self)


class Deadlines:
    """All deadlines of a terminal's wires. Each happens in a thread of its own: it may ask a provider."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: set[Deadline] = set()
        self._happening: set[threading.Thread] = set()
        self._watch: threading.Thread | None = None
        self._closed = False

    def after(self, seconds: float, do: Callable[[], object], what: str) -> Deadline:
        """Call `do` in `seconds`; what it raises is logged under the name `what`.

        After `close` nothing is armed: what is open then is settled at the next start.
        """
        deadline = Deadline(time.monotonic() + seconds, do, what, self._forget)
        with self._changed:
            if self._closed:
                return deadline
            self._waiting.add(deadline)
            if self._watch is None:
                self._watch = threading.Thread(target=self._wait, name="deadlines", daemon=True)
                self._watch.start()
            elif deadline.due <= min(one.due for one in self._waiting):
                # Deadlines of one kind come in order, so that the thread is seldom woken for a new one.
                self._changed.notify()
        return deadline

    def _forget(self, deadline: Deadline) -> None:
        with self._changed:
            self._waiting.discard(deadline)

    def _wait(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                for deadline in [one for one in self._waiting if one.due <= now]:
                    self._waiting.remove(deadline)
                    self._begin(deadline)
                idle = not self._waiting
                pause_s = _LINGERS_S if idle else min(one.due for one in self._waiting) - now
                if not self._changed.wait(max(pause_s, 0.0)) and idle and not self._waiting:
                    break
            self._watch = None

    def _begin(self, deadline: Deadline) -> None:
        thread = threading.Thread(target=self._run, args=(deadline,), name="deadline", daemon=True)
        self._happening.add(thread)
        thread.start()

    def _run(self, deadline: Deadline) -> None:
        try:
            deadline.do()
        except Exception:
            _log.exception("%s failed", deadline.what)
        finally:
            with self._changed:
                self._happening.discard(threading.current_thread())

    def close(self, patience_s: float = 10.0) -> None:
        """Call off what is still to come, and wait for what already happens, at most so long each."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            left = [*self._happening, *([self._watch] if self._watch else [])]
            self._changed.notify_all()
        for thread in left:
            if thread is not threading.current_thread():
                thread.join(patience_s)
