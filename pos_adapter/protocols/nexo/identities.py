"""Who was identified by a CardAcquisition, until the payment that follows or a short time has passed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pos_adapter.types import IdentifyResponse


@dataclass(frozen=True, slots=True)
class Identified:
    """One acquisition: where it came from, what the host said, until when it holds (monotonic seconds)."""

    sale_id: str
    poi_id: str
    response: IdentifyResponse
    until: float


class Identities:
    """Acquisitions by their POITransactionID; each is used once, by the till that asked for it."""

    def __init__(self, keep_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep_s = keep_s
        self._clock = clock
        self._known: dict[str, Identified] = {}
        self._lock = threading.Lock()

    def keep(self, reference: str, sale_id: str, poi_id: str, response: IdentifyResponse) -> None:
        """Remember an acquisition; the till's earlier ones are forgotten."""
        self.forget(sale_id, poi_id)
        with self._lock:
            until = self._clock() + self._keep_s
            self._known[reference] = Identified(sale_id, poi_id, response, until)

    def find(self, reference: str, sale_id: str, poi_id: str) -> IdentifyResponse | None:
        """The acquisition, if this till made it and it still holds."""
        with self._lock:
            found = self._known.get(reference)
        if found is None or (found.sale_id, found.poi_id) != (sale_id, poi_id) or found.until < self._clock():
            return None
        return found.response

    def forget(self, sale_id: str, poi_id: str) -> None:
        """The till is done with whom it asked about."""
        with self._lock:
            now = self._clock()
            self._known = {
                reference: one
                for reference, one in self._known.items()
                if (one.sale_id, one.poi_id) != (sale_id, poi_id) and one.until >= now
            }
