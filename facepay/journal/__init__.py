"""The journal: an append-only, hash-chained record of every payment, written before each effect."""

from facepay.journal.errors import (
    IllegalTransition,
    JournalBroken,
    JournalError,
    JournalUnavailable,
    RequestChanged,
    UnknownPayment,
)
from facepay.journal.history import History, Moved
from facepay.journal.journal import Begun, Journal
from facepay.journal.rows import Entry, Facts, Opening, Step
from facepay.journal.states import FINAL, OPEN, TRANSITIONS, State

__all__ = [
    "FINAL",
    "OPEN",
    "TRANSITIONS",
    "Begun",
    "Entry",
    "Facts",
    "History",
    "IllegalTransition",
    "Journal",
    "JournalBroken",
    "JournalError",
    "JournalUnavailable",
    "Moved",
    "Opening",
    "RequestChanged",
    "State",
    "Step",
    "UnknownPayment",
]
