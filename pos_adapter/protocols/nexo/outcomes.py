"""Every outcome in nexo's words: Result and ErrorCondition (nexo Sale to POI 3.0, response data)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pos_adapter.types import AdjustmentOutcome, Outcome


@dataclass(frozen=True, slots=True)
class NexoOutcome:
    """One row: `result` Success, Partial or Failure; `condition` only with Failure."""

    result: str
    condition: str | None = None


SUCCESS = NexoOutcome("Success")

OUTCOMES: Mapping[Outcome, NexoOutcome] = MappingProxyType(
    {
        Outcome.APPROVED: SUCCESS,
        Outcome.PARTIAL: NexoOutcome("Partial"),
        Outcome.NO_MATCH: NexoOutcome("Failure", "Refusal"),
        Outcome.ATTACK_SUSPECTED: NexoOutcome("Failure", "Refusal"),
        Outcome.DECLINED: NexoOutcome("Failure", "Refusal"),
        Outcome.SHOPPER_CHOSE_CARD: NexoOutcome("Failure", "Cancel"),
        Outcome.CASHIER_ABORT: NexoOutcome("Failure", "Aborted"),
        Outcome.TIMEOUT: NexoOutcome("Failure", "Cancel"),
        Outcome.DEVICE_DEAD: NexoOutcome("Failure", "UnavailableDevice"),
        Outcome.PROVIDER_UNREACHABLE: NexoOutcome("Failure", "UnreachableHost"),
        # No refusal: the till is told to ask for the status until the result is known.
        Outcome.PROVIDER_UNKNOWN: NexoOutcome("Failure", "InProgress"),
        Outcome.BUSY: NexoOutcome("Failure", "Busy"),
        Outcome.BAD_REQUEST: NexoOutcome("Failure", "MessageFormat"),
        Outcome.FAILURE: NexoOutcome("Failure", "UnavailableService"),
    }
)

ADJUSTMENTS: Mapping[AdjustmentOutcome, NexoOutcome] = MappingProxyType(
    {
        AdjustmentOutcome.DONE: SUCCESS,
        AdjustmentOutcome.NOT_FOUND: NexoOutcome("Failure", "NotFound"),
        AdjustmentOutcome.ALREADY_REVERSED: NexoOutcome("Failure", "NotAllowed"),
        AdjustmentOutcome.NOT_POSSIBLE: NexoOutcome("Failure", "NotAllowed"),
        AdjustmentOutcome.PROVIDER_UNREACHABLE: NexoOutcome("Failure", "UnreachableHost"),
        AdjustmentOutcome.PROVIDER_UNKNOWN: NexoOutcome("Failure", "InProgress"),
    }
)

CONDITIONS = frozenset(
    {
        *("Aborted", "Busy", "Cancel", "DeviceOut", "InProgress", "InsertedCard", "InvalidCard", "LoggedOut"),
        *("MessageFormat", "NotAllowed", "NotFound", "PaymentRestriction", "Refusal", "UnavailableDevice"),
        *("UnavailableService", "UnreachableHost", "WrongPIN"),
    }
)
"""Every ErrorCondition a client may know."""
