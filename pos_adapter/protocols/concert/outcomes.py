"""How each outcome sounds in Concert: a result digit, or no answer at all."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pos_adapter.protocols.concert.messages import Result
from pos_adapter.types import Outcome

RESULTS: Mapping[Outcome, Result | None] = MappingProxyType(
    {
        Outcome.APPROVED: Result.OK,
        # A partial approval cannot be told apart from a full one here; the session voids it.
        Outcome.PARTIAL: Result.NOT_DONE,
        Outcome.NO_MATCH: Result.NOT_DONE,
        Outcome.ATTACK_SUSPECTED: Result.NOT_DONE,
        Outcome.SHOPPER_CHOSE_CARD: Result.NOT_DONE,
        Outcome.CASHIER_ABORT: Result.NOT_DONE,
        Outcome.TIMEOUT: Result.NOT_DONE,
        Outcome.DECLINED: Result.NOT_DONE,
        Outcome.DEVICE_DEAD: Result.NOT_DONE,
        Outcome.PROVIDER_UNREACHABLE: Result.NOT_DONE,
        # Nobody knows: silence makes the cashier look at the display, a "not done" could be a lie.
        Outcome.PROVIDER_UNKNOWN: None,
        Outcome.BUSY: Result.NOT_DONE,
        Outcome.BAD_REQUEST: Result.NOT_DONE,
        Outcome.FAILURE: Result.NOT_DONE,
    }
)
"""The digit each outcome answers; None means that the terminal stays silent."""
