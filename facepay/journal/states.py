"""The states of a payment and of a refund, and the one table of steps between them.

A state names what is written down before the next effect: AUTHORISING before the provider is asked,
ANNOUNCED before the till is answered, TELLING before it is given the whole approval on a wire that does not
say back that it heard, CONFIRMED before the capture, VOIDING before the void, REFUNDING before the refund.
So after a power cut the last row says which effect may have happened and has to be asked for again; every
one of them is idempotent by key.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from facepay.journal.errors import IllegalTransition


class State(Enum):
    """Where one payment or refund stands."""

    NEW = "new"
    IDENTIFIED = "identified"
    AUTHORISING = "authorising"
    AUTHORISED = "authorised"
    ANNOUNCED = "announced"
    TELLING = "telling"
    CONFIRMED = "confirmed"
    CAPTURED = "captured"
    UNKNOWN = "unknown"
    VOIDING = "voiding"
    VOIDED = "voided"
    DECLINED = "declined"
    ABORTED = "aborted"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


_S = State
TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        _S.NEW: frozenset({_S.IDENTIFIED, _S.REFUNDING, _S.DECLINED, _S.ABORTED}),
        _S.IDENTIFIED: frozenset({_S.AUTHORISING, _S.DECLINED, _S.ABORTED}),
        # The answer may be lost, or the sale cancelled while the provider is still thinking.
        _S.AUTHORISING: frozenset({_S.AUTHORISED, _S.DECLINED, _S.UNKNOWN, _S.VOIDING}),
        _S.UNKNOWN: frozenset({_S.AUTHORISED, _S.DECLINED, _S.VOIDING}),
        _S.AUTHORISED: frozenset({_S.ANNOUNCED, _S.VOIDING}),
        _S.ANNOUNCED: frozenset({_S.TELLING, _S.CONFIRMED, _S.VOIDING}),
        # From here the till may know; what it asks next, or does not ask, says whether it does (ADR 0230).
        _S.TELLING: frozenset({_S.CONFIRMED, _S.VOIDING}),
        # CONFIRMED is a promise to the shop; a capture the provider refuses for good is DECLINED and alerts.
        _S.CONFIRMED: frozenset({_S.CAPTURED, _S.DECLINED}),
        # A void can lose against a capture made by hand at the provider's console.
        _S.VOIDING: frozenset({_S.VOIDED, _S.CAPTURED}),
        _S.REFUNDING: frozenset({_S.REFUNDED, _S.DECLINED}),
        _S.CAPTURED: frozenset(),
        _S.VOIDED: frozenset(),
        _S.DECLINED: frozenset(),
        _S.ABORTED: frozenset(),
        _S.REFUNDED: frozenset(),
    }
)
"""From each state, the states that may follow. Anything else is `IllegalTransition`."""

FINAL = frozenset(state for state, after in TRANSITIONS.items() if not after)
"""States nothing follows."""

OPEN = frozenset(State) - FINAL
"""States that have to be settled after a restart."""

MONEY_MAY_MOVE = frozenset(
    {
        _S.AUTHORISING,
        _S.UNKNOWN,
        _S.AUTHORISED,
        _S.ANNOUNCED,
        _S.TELLING,
        _S.CONFIRMED,
        _S.VOIDING,
        _S.REFUNDING,
    }
)
"""Open states in which the provider may hold or move money; never told to a till as declined."""

MONEY_MOVED = frozenset({_S.CAPTURED, _S.REFUNDED})
"""Ends at which money has moved for good."""


def require_step(before: State, after: State) -> None:
    """Refuse a step the table does not have.

    Raises:
        IllegalTransition: The step is not in `TRANSITIONS`.
    """
    if after not in TRANSITIONS[before]:
        raise IllegalTransition(f"a payment cannot go from {before.name} to {after.name}")
