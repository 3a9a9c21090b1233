"""Whose fault it is that no frame came: the camera's, or this machine's, which did not ask for one.

A reader that was kept from its work, by other programs or by its own, finds that the driver has meanwhile
thrown frames away. That is no silence of the camera. The camera was silent only from the moment it was
asked for a frame to the moment it filled one; the driver dates the second without our help. Where it does
not, the time this thread stood ready and had no processor is taken off, as Linux counts it.
"""

from __future__ import annotations

from hardware.types import Listening

_STARVED_NS = 5_000_000
_SCHEDSTAT = "/proc/thread-self/schedstat"


class Listener:
    """Keeps account between two frames; one thread's, the one that reads the device."""

    def __init__(self) -> None:
        self._before_ns: int | None = None
        self._asked_ns: int | None = None
        self._waited_ns = 0

    def ask(self, now_ns: int) -> None:
        """The device is asked for a frame; asking again after a failure changes nothing."""
        if self._asked_ns is None:
            self._asked_ns, self._waited_ns = now_ns, waited_for_processor_ns()

    def hear(self, captured_ns: int, *, dated: bool) -> Listening:
        """A frame came.

        Args:
            captured_ns: when the driver filled it, or when it arrived.
            dated: whether the driver said so.
        """
        before_ns, asked_ns = self._before_ns, self._asked_ns
        self._before_ns, self._asked_ns = captured_ns, None
        if before_ns is None or asked_ns is None:
            return Listening(0, 0)
        starved_ns = 0 if dated else waited_for_processor_ns() - self._waited_ns
        silent_ns = captured_ns - max(before_ns, asked_ns) - starved_ns
        # Where nobody dates frames, one that a starved thread took may have been filled at any time before.
        late_ns = asked_ns - before_ns if starved_ns <= _STARVED_NS else captured_ns - before_ns
        return Listening(max(0, silent_ns), max(0, late_ns))


def waited_for_processor_ns() -> int:
    """How long this thread has stood ready without a processor since it began, ns; 0 where nobody counts."""
    try:
        with open(_SCHEDSTAT, encoding="ascii") as counters:
            return int(counters.read().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
