"""Who stands there, without a payment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pos_adapter.types.exchanges import ExchangeKey
from pos_adapter.types.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class IdentifyRequest:
    """A till asks who stands there, without paying (loyalty, or a payment soon after)."""

    key: ExchangeKey
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class IdentifyResponse:
    """Who stands there: a per-merchant `pseudonym` and a short-lived `identity` to pay with.

    Both are None unless `outcome` is APPROVED. Never a template id, never a score.
    """

    outcome: Outcome
    at: datetime
    identity: str | None = None
    pseudonym: str | None = None
    message: str = ""
