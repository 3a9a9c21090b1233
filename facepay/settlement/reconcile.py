"""Compares three accounts of the same money, to the cent: the journal, the tills, the provider.

The tills' account is their acknowledgements, which the journal holds as CONFIRMED rows. The provider's is
its own list of what it moved. Entries are matched by idempotency key, never by amount or time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from facepay.journal import Entry, State
from facepay.psp.base import Booked, BookedKind
from pos_adapter.types import Money


class Difference(Enum):
    """How two accounts of one payment differ."""

    MISSING_AT_PROVIDER = "the journal has it, the provider does not"
    UNKNOWN_TO_JOURNAL = "the provider has moved money the journal knows nothing of"
    AMOUNT_DIFFERS = "journal and provider have different amounts"
    BOOKED_TWICE = "the provider has booked it twice"
    NOT_ACKNOWLEDGED = "captured, but the till never acknowledged the approval"
    WAITING_OFFLINE = "taken offline, and not forwarded to the provider yet"
    NOT_CAPTURED = "the till acknowledged the approval, but it was not captured"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: the key it is about, and both amounts as far as they are known."""

    key: str
    difference: Difference
    journal: Money | None = None
    provider: Money | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of one currency in minor units, as the journal and as the provider have them."""

    currency: str
    journal_captured: int
    provider_captured: int
    journal_refunded: int
    provider_refunded: int

    @property
    def agree(self) -> bool:
        """Whether both have the same, to the cent."""
        captured = self.journal_captured == self.provider_captured
        return captured and self.journal_refunded == self.provider_refunded


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What was compared and what did not match."""

    matched: int
    findings: tuple[Finding, ...]
    totals: tuple[Totals, ...]

    @property
    def clean(self) -> bool:
        """Whether every cent is accounted for."""
        return not self.findings and all(total.agree for total in self.totals)


@dataclass(frozen=True, slots=True)
class _Moved:
    kind: BookedKind
    amount: Money


def reconcile(
    entries: Iterable[Entry],
    acknowledged: frozenset[str],
    booked: Iterable[Booked],
    known: frozenset[str] = frozenset(),
    waiting: frozenset[str] = frozenset(),
) -> Reconciliation:
    """Compare.

    Args:
        entries: Payments that were confirmed or captured and refunds made in the span.
        acknowledged: Ids of payments that have a CONFIRMED row.
        booked: The provider's list, over a span that is wider at both ends.
        known: Keys of money the journal knows to have moved outside the span; not counted.
        waiting: Keys of payments taken offline that wait to be forwarded.
    """
    ours, findings = _ours(entries, acknowledged)
    theirs: dict[str, _Moved] = {}
    for line in booked:
        if line.key in theirs:
            findings.append(Finding(line.key, Difference.BOOKED_TWICE, provider=line.amount))
        elif line.key in ours or line.key not in known:
            theirs[line.key] = _Moved(line.kind, line.amount)
    for key in sorted({*ours, *theirs}):
        finding = _compare(key, ours.get(key), theirs.get(key))
        if finding is not None and finding.provider is None and key in waiting:
            finding = Finding(key, Difference.WAITING_OFFLINE, finding.journal)
        if finding is not None:
            findings.append(finding)
    return Reconciliation(len(ours.keys() & theirs.keys()), tuple(findings), _totals(ours, theirs))


@dataclass(frozen=True, slots=True)
class MovedBy:
    """Ids and keys of some entries."""

    payments: frozenset[str]
    keys: frozenset[str]


def moved_by(entries: Iterable[Entry]) -> MovedBy:
    """Ids and provider keys of entries."""
    found = list(entries)
    return MovedBy(frozenset(e.payment for e in found), frozenset(moved_key(e) for e in found))


def moved_key(entry: Entry) -> str:
    """The key under which the provider lists an entry's money."""
    return f"fp-refund-{entry.payment}" if entry.original else str(entry.facts.get("key"))


def _ours(entries: Iterable[Entry], acknowledged: frozenset[str]) -> tuple[dict[str, _Moved], list[Finding]]:
    ours: dict[str, _Moved] = {}
    findings: list[Finding] = []
    for entry in entries:
        key = moved_key(entry)
        if entry.state is State.REFUNDED:
            ours[key] = _Moved(BookedKind.REFUND, entry.amount)
        elif entry.state is State.CAPTURED:
            captured = Money(int(entry.facts.get("captured_minor") or 0), entry.amount.currency)
            ours[key] = _Moved(BookedKind.CAPTURE, captured)
            if entry.payment not in acknowledged:
                findings.append(Finding(key, Difference.NOT_ACKNOWLEDGED, journal=captured))
        elif entry.payment in acknowledged:
            findings.append(Finding(key, Difference.NOT_CAPTURED, journal=entry.amount))
    return ours, findings


def _compare(key: str, ours: _Moved | None, theirs: _Moved | None) -> Finding | None:
    if ours is None or theirs is None:
        if theirs is None:
            return Finding(key, Difference.MISSING_AT_PROVIDER, journal=ours.amount if ours else None)
        return Finding(key, Difference.UNKNOWN_TO_JOURNAL, provider=theirs.amount)
    if ours != theirs:
        return Finding(key, Difference.AMOUNT_DIFFERS, ours.amount, theirs.amount)
    return None


def _totals(ours: Mapping[str, _Moved], theirs: Mapping[str, _Moved]) -> tuple[Totals, ...]:
    def total(moved: Mapping[str, _Moved], kind: BookedKind, currency: str) -> int:
        return sum(m.amount.minor for m in moved.values() if (m.kind, m.amount.currency) == (kind, currency))

    currencies = sorted({m.amount.currency for m in (*ours.values(), *theirs.values())})
    return tuple(
        Totals(
            currency,
            total(ours, BookedKind.CAPTURE, currency),
            total(theirs, BookedKind.CAPTURE, currency),
            total(ours, BookedKind.REFUND, currency),
            total(theirs, BookedKind.REFUND, currency),
        )
        for currency in currencies
    )
