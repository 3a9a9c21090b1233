"""How each outcome sounds in Caisse-AP: AE with AF, or a connection closed without an answer."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pos_adapter.protocols.caisse_ap.messages import Reason, Result
from pos_adapter.types import Outcome

Answer = tuple[Result, Reason | None]

ANSWERS: Mapping[Outcome, Answer | None] = MappingProxyType(
    {
        Outcome.APPROVED: (Result.DONE, None),
        # Tills compare the amount and reject another one, so a partial approval is voided.
        Outcome.PARTIAL: (Result.NOT_DONE, Reason.REFUSED),
        Outcome.NO_MATCH: (Result.NOT_DONE, Reason.REFUSED),
        Outcome.ATTACK_SUSPECTED: (Result.NOT_DONE, Reason.REFUSED),
        Outcome.SHOPPER_CHOSE_CARD: (Result.NOT_DONE, Reason.ABANDONED),
        Outcome.CASHIER_ABORT: (Result.NOT_DONE, Reason.OPERATOR),
        Outcome.TIMEOUT: (Result.NOT_DONE, Reason.TIMEOUT),
        Outcome.DECLINED: (Result.NOT_DONE, Reason.REFUSED),
        Outcome.DEVICE_DEAD: (Result.NOT_DONE, Reason.FAILED),
        Outcome.PROVIDER_UNREACHABLE: (Result.NOT_DONE, Reason.FAILED),
        # Closing without an answer makes the till ask its cashier; a refusal could be a lie.
        Outcome.PROVIDER_UNKNOWN: None,
        Outcome.BUSY: (Result.NOT_DONE, Reason.FAILED),
        Outcome.BAD_REQUEST: (Result.NOT_DONE, Reason.FORMAT),
        Outcome.FAILURE: (Result.NOT_DONE, Reason.FAILED),
    }
)
"""AE and AF of each outcome; None closes the connection without an answer."""
