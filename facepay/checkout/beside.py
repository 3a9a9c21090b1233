"""A deed that is done while the shopper reads, and that has to be done before the sale goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Beside:
    """Runs `deed` in a thread of its own; `join` waits for its end and raises what it raised."""

    def __init__(self, deed: Callable[[], object]) -> None:
        self._deed = deed
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="beside", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Pass once the deed is done; raises its failure."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._deed()
        except Exception as failure:
            # A thread has nobody above it, and a sale that is refused meanwhile never joins.
            log.error("what was to be done beside a sale failed: %s", failure)
            self._failure = failure
