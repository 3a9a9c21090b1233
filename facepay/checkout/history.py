"""Looks payments up where the wire gives no key: by till, or by receipt number."""

from __future__ import annotations

from facepay.journal import Entry, Journal, State


class History:
    """Questions to the journal that `RecordsHost` and `HistoryHost` ask."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def latest(self, wire: str, till: str) -> Entry | None:
        """The newest payment of a till on a wire."""
        return next(
            (
                entry
                for entry in self._journal.newest()
                if entry.facts.get("wire") == wire and entry.facts.get("till") == till
            ),
            None,
        )

    def find_receipt(self, number: int) -> Entry | None:
        """The newest payment with a receipt number."""
        found = (e for e in self._journal.newest() if e.facts.get("receipt") == number)
        return next(found, None)

    def latest_receipt(self) -> int:
        """The newest receipt number that was given out; 0 before the first."""
        for entry in self._journal.newest():
            number = entry.facts.get("receipt")
            if isinstance(number, int):
                return number
        return 0

    def refunded_minor(self, entry: Entry) -> int:
        """How much of a payment went back, in minor units."""
        if entry.state is not State.CAPTURED:
            return 0
        refunds = self._journal.refunds_of(entry.payment)
        return sum(refund.amount.minor for refund in refunds if refund.state is State.REFUNDED)
