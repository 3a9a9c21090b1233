"""How each outcome sounds on the REST wire: the HTTP status of the answer that carries the payment.

A refusal is a payment that ended, so it is answered like an approval; the payment's `status` tells them
apart. Only what never became a payment is a problem document (busy is 409, bad requests are 4xx).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pos_adapter.types import Outcome

WORDS: Mapping[Outcome, str] = MappingProxyType(
    {
        **{outcome: outcome.value for outcome in Outcome},
        # Whoever holds a picture up learns nothing from the till's screen.
        Outcome.ATTACK_SUSPECTED: Outcome.NO_MATCH.value,
    }
)
"""The word each outcome is told by."""

STATUSES: Mapping[Outcome, int] = MappingProxyType(
    {
        Outcome.APPROVED: 201,
        Outcome.PARTIAL: 201,
        Outcome.NO_MATCH: 201,
        Outcome.ATTACK_SUSPECTED: 201,
        Outcome.SHOPPER_CHOSE_CARD: 201,
        Outcome.CASHIER_ABORT: 201,
        Outcome.TIMEOUT: 201,
        Outcome.DECLINED: 201,
        Outcome.DEVICE_DEAD: 201,
        Outcome.PROVIDER_UNREACHABLE: 201,
        # Still open: the till asks again, and must not offer another way to pay yet.
        Outcome.PROVIDER_UNKNOWN: 202,
        Outcome.BUSY: 409,
        Outcome.BAD_REQUEST: 201,
        Outcome.FAILURE: 201,
    }
)
"""HTTP status of `POST /v1/payments` when the payment has ended by the time of the answer."""
