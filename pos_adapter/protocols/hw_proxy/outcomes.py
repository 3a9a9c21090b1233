"""How each outcome sounds in hw_proxy: `success` true, false or null, and one line for the cashier."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pos_adapter.types import Outcome

Answer = tuple[bool | None, str]

ANSWERS: Mapping[Outcome, Answer] = MappingProxyType(
    {
        Outcome.APPROVED: (True, "Paid by face"),
        # The till books the whole amount, so a partial approval is voided.
        Outcome.PARTIAL: (False, "Not enough money in the account"),
        Outcome.NO_MATCH: (False, "Face not recognised: pay by card"),
        Outcome.ATTACK_SUSPECTED: (False, "Face not recognised: pay by card"),
        Outcome.SHOPPER_CHOSE_CARD: (False, "The shopper pays by card"),
        Outcome.CASHIER_ABORT: (False, "Cancelled"),
        Outcome.TIMEOUT: (False, "Nobody paid in time"),
        Outcome.DECLINED: (False, "Declined: pay by card"),
        Outcome.DEVICE_DEAD: (False, "The terminal does not work: pay by card"),
        Outcome.PROVIDER_UNREACHABLE: (False, "No connection: pay by card"),
        # Null keeps the till waiting; a refusal could be a lie.
        Outcome.PROVIDER_UNKNOWN: (None, "Result not known yet: wait"),
        Outcome.BUSY: (False, "Another sale is running"),
        Outcome.BAD_REQUEST: (False, "The request was refused"),
        Outcome.FAILURE: (False, "The terminal failed: pay by card"),
    }
)
"""What `status_json` tells of an ended payment."""
RUNNING: Answer = (None, "Waiting for the shopper")
"""What it tells of a running one; `success` must be there, as null."""
