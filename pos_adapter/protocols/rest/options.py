"""What a shop sets for the REST wire: the tills' keys, the currencies, webhooks and limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from pos_adapter.desk import DeskOptions
from pos_adapter.errors import BadRequest
from pos_adapter.protocols.rest.webhooks import Webhook


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One till's key, at least 20 characters; `may_refund` is for the manager's till."""

    till: str
    secret: str = field(repr=False)
    may_refund: bool = True

    def __post_init__(self) -> None:
        if len(self.secret) < 20 or not self.secret.isascii():
            raise BadRequest(f"the API key of till {self.till!r} needs at least 20 ASCII characters")


@dataclass(frozen=True, slots=True)
class RestOptions:
    """Who may speak, in which currencies, and how much."""

    keys: tuple[ApiKey, ...]
    terminal: str = "facepay"
    currencies: frozenset[str] = frozenset({"EUR"})
    webhooks: tuple[Webhook, ...] = ()
    webhook_pauses_s: tuple[float, ...] = (1.0, 5.0, 25.0, 120.0, 600.0)
    max_body: int = 16 * 1024
    max_streams: int = 8
    desk: DeskOptions = field(default_factory=DeskOptions)
