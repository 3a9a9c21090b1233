"""What runs and what ran on the nexo wire: one entry per (POIID, SaleID, ServiceID), for 48 hours.

Payments are recorded by the host and survive a restart; the entries here add what only the wire knows
(the request's own words) and the answers of requests that are no payments. What is over is filed: its sale is
let go and its answer packed, so that two days of answers take a few megabytes.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from pos_adapter.errors import KeyReused
from pos_adapter.protocols.nexo.answers import Body
from pos_adapter.sale import Sale
from pos_adapter.types import ExchangeKey, PaymentResponse, TransactionId

KEEP_S = 48 * 3600.0
MOST = 5_000
"""Entries kept at most; the host's own records answer for older payments."""


class Told(Protocol):
    """An answer that can be told again."""

    def __call__(self) -> Body:
        """The body, as it is true now."""

    def filed(self) -> Told | None:
        """The same answer in few bytes; None while it may still change."""


class Exchange:
    """One request and its answer."""

    __slots__ = (
        "_unwanted",
        "answer",
        "begun",
        "cancel",
        "ended",
        "fingerprint",
        "forwarded",
        "key",
        "paid",
        "reference",
        "sale",
    )

    def __init__(self, key: ExchangeKey, fingerprint: bytes, begun: float) -> None:
        self.key = key
        self.fingerprint = fingerprint
        self.begun = begun
        self.sale: Sale | None = None
        self.cancel: Callable[[], object] | None = None
        self.answer: Told | None = None
        self.forwarded = False
        self.reference = ""
        self.paid: tuple[TransactionId, str] | None = None
        self.ended = threading.Event()
        self._unwanted = False

    def begin(self, cancel: Callable[[], object], sale: Sale | None = None) -> None:
        """It runs from now on; a till that has aborted it already is obeyed at once."""
        self.sale, self.cancel = sale, cancel
        if self._unwanted:
            cancel()

    def stop(self) -> None:
        """The till aborts: now, or as soon as there is something to stop."""
        self._unwanted = True
        cancel = self.cancel
        if cancel is not None and not self.ended.is_set():
            cancel()

    @property
    def is_live(self) -> bool:
        """Whether it runs, or its money waits for the till to learn."""
        sale = self.sale
        return not self.ended.is_set() or (sale is not None and not sale.is_settled)

    def note(self, response: PaymentResponse) -> None:
        """Remember transaction and currency: a reversal of a part names no currency."""
        if response.transaction is not None:
            self.paid = response.transaction, response.requested.currency

    def end(self, answer: Told | None) -> None:
        """The answer is known; it is built anew each time, since a settlement can change it."""
        self.answer = answer
        self.ended.set()


class Exchanges:
    """Entries by key, the oldest forgotten first."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: OrderedDict[ExchangeKey, Exchange] = OrderedDict()
        # The few that run or whose money is open, so that no request looks through two days of answers.
        self._live: dict[ExchangeKey, Exchange] = {}
        self._lock = threading.Lock()
        # What is filed has ended: one event for all of it.
        self._over = threading.Event()
        self._over.set()

    def open(self, key: ExchangeKey, fingerprint: bytes) -> tuple[Exchange, bool]:
        """The exchange of this key, and whether it is new.

        Raises:
            KeyReused: the key belongs to another request.
        """
        with self._lock:
            self._prune()
            known = self._entries.get(key)
            if known is None:
                over = [entry for entry in self._live.values() if not entry.is_live]
                for entry in over:
                    del self._live[entry.key]
                fresh = self._entries[key] = self._live[key] = Exchange(key, fingerprint, self._clock())
        if known is None:
            for entry in over:
                self.file(entry)
            return fresh, True
        if known.fingerprint != fingerprint:
            raise KeyReused("this ServiceID was used for another request")
        return known, False

    def file(self, entry: Exchange) -> None:
        """Keep little of what is over; what lives, or may still change its answer, stays as it is."""
        if entry.ended is self._over or entry.is_live:
            return
        if entry.answer is not None:
            filed = entry.answer.filed()
            if filed is None:
                return
            entry.answer = filed
        entry.sale = entry.cancel = None
        entry.reference = ""
        entry.ended = self._over

    def find(self, key: ExchangeKey) -> Exchange | None:
        """The exchange of this key, if it is remembered."""
        with self._lock:
            return self._entries.get(key)

    def forget(self, key: ExchangeKey) -> None:
        """The request never began: the same key may come again."""
        with self._lock:
            entry = self._entries.pop(key, None)
            self._live.pop(key, None)
        if entry is not None:
            entry.end(None)

    def running(self) -> list[Exchange]:
        """What has no answer yet."""
        with self._lock:
            return [entry for entry in self._live.values() if not entry.ended.is_set()]

    def find_currency(self, transaction: TransactionId) -> str | None:
        """The currency of an earlier payment, if it is remembered."""
        with self._lock:
            paid = (entry.paid for entry in reversed(self._entries.values()))
            return next((one[1] for one in paid if one is not None and one[0] == transaction), None)

    def unlearned(self, reference: str, newer: ExchangeKey) -> list[Exchange]:
        """Earlier approvals of the same sale by the same till whose money is still open."""
        with self._lock:
            found = [
                entry for key, entry in self._live.items() if key != newer and entry.reference == reference
            ]
        same = [
            entry for entry in found if (entry.key.terminal, entry.key.till) == (newer.terminal, newer.till)
        ]
        return [entry for entry in same if entry.ended.is_set() and entry.is_live]

    def latest(self, poi_id: str, sale_id: str) -> Exchange | None:
        """The till's newest exchange."""
        with self._lock:
            entries = reversed(self._entries.values())
            return next((e for e in entries if (e.key.terminal, e.key.till) == (poi_id, sale_id)), None)

    def _prune(self) -> None:
        limit = self._clock() - KEEP_S
        while self._entries:
            oldest = next(iter(self._entries.values()))
            if oldest.begun > limit and len(self._entries) < MOST:
                return
            if not oldest.ended.is_set():
                return
            del self._entries[oldest.key]
