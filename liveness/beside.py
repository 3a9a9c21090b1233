"""Work that may run beside other work, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Beside(Generic[T]):
    """One piece of work: in its own thread once begun, else done when its result is asked for.

    Args:
        work: what to do; networks and OpenCV leave the interpreter to others meanwhile.
        name: of the thread.
    """

    def __init__(self, work: Callable[[], T], *, name: str) -> None:
        self._work = work
        self._name = name
        self._thread: threading.Thread | None = None
        self._done: list[T] = []
        self._error: Exception | None = None

    def begin(self) -> Beside[T]:
        """Start the work."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()
        return self

    def result(self) -> T:
        """Wait for the work, or do it now; raises what it raised."""
        if self._thread is None:
            return self._work()
        self._thread.join()
        if not self._done:
            raise self._error or RuntimeError(f"{self._name} was interrupted")
        return self._done[0]

    def _run(self) -> None:
        try:
            self._done.append(self._work())
        except Exception as error:  # Whoever asks for the result has to see it.
            self._error = error
