"""What goes wrong in the journal. A payment that cannot be journalled does not happen."""

from __future__ import annotations

from facepay.errors import Declined, Fault, UnknownName


class JournalError(Fault):
    """Base of the journal's faults."""


class JournalUnavailable(JournalError):
    """The row could not be written (disk full, database locked or gone); its effect must not happen."""


class IllegalTransition(JournalError):
    """The table of states has no such step; the caller has a bug and the payment stays where it was."""


class UnknownPayment(JournalError, UnknownName):
    """The journal has no payment of this id."""


class JournalBroken(JournalError):
    """Rows were altered or cut; `facepay journal verify` names them."""


class RequestChanged(Declined):
    """The till repeated a request's key with another amount or reference: refused, never replayed."""
