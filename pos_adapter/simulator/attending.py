"""A cashier at a desk: a sale is named as soon as it begins, and Ctrl-C aborts it in the wire's own way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from pos_adapter.errors import PosError
from pos_adapter.simulator.desks import Abort, CashDesk, Order, Told


class Attending:
    """One order, done in a thread of its own, so that the one who waits can abort it.

    Args:
        say: takes a line for the cashier.
    """

    def __init__(self, desk: CashDesk, order: Order, say: Callable[[str], object]) -> None:
        self._desk = desk
        self._order = replace(order, begun=self._begun)
        self._say = say
        self._abort: Abort | None = None
        self._told: Told | None = None
        self._error: BaseException | None = None
        # Not the thread's own end: a join that Ctrl-C interrupts takes the thread for ended.
        self._ended = threading.Event()

    def _begun(self, name: str, abort: Abort | None) -> None:
        self._abort = abort
        how = "Ctrl-C aborts it" if abort else "this wire has no abort: stop it at the terminal"
        self._say(f"begun{f': {name}' if name else ''} ({how})")

    def _run(self) -> None:
        try:
            self._told = self._desk.act(self._order)
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()

    def outcome(self) -> Told:
        """Do it and wait for the end; the first Ctrl-C aborts and waits on, the second one gives up.

        Raises:
            PosError: as `CashDesk.act`.
            KeyboardInterrupt: Ctrl-C twice, or where nothing can be aborted.
        """
        try:
            threading.Thread(target=self._run, name="desk", daemon=True).start()
            self._ended.wait()
        except KeyboardInterrupt:
            self.abort()
            self._ended.wait()
        if self._error is not None:
            raise self._error
        if self._told is None:
            raise PosError("the desk ended without an answer")
        return self._told

    def abort(self) -> None:
        """Abort what has begun; raises KeyboardInterrupt where nothing can be aborted."""
        if self._abort is None:
            raise KeyboardInterrupt
        self._say("aborting; waiting for the terminal to say how it ended (Ctrl-C again gives up)")
        try:
            self._abort()
        except PosError as error:
            self._say(f"the abort did not get through: {error}")
