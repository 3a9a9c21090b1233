"""What a shop sets for the nexo wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from pos_adapter.errors import NotAllowed
from pos_adapter.protocols.nexo.local_encryption import KeyName


class Instrument(Enum):
    """How a payment by face looks to the till; tills map it to their tender keys."""

    CARD = "Card"
    STORED_VALUE = "StoredValue"


@dataclass(frozen=True, slots=True)
class NexoOptions:
    """One terminal on the nexo wire; times in seconds.

    `poi_id` (model-serial) is the only one answered when set. `passphrases` hide the local messages; while
    there are any, messages in clear are refused unless `clear_allowed`. `currency` is meant where a partial
    reversal names none. `api_key` guards `/sync` and `/async`. `sale_s` bounds a sale below the 120 s after
    which tills ask for the status. `learn_within_s` is how long an approval whose answer did not arrive
    waits for a status request before it is voided. `notify_url` receives the results of `/async`.
    """

    poi_id: str = ""
    passphrases: Mapping[KeyName, str] = field(default_factory=dict, repr=False)
    clear_allowed: bool = False
    api_key: str = field(default="", repr=False)
    merchant: str = "facepay"
    currency: str = "EUR"
    brand: str = ""
    instrument: Instrument = Instrument.CARD
    receipt_header: tuple[str, ...] = ()
    version: str = "0.1.0"
    sale_s: float = 110.0
    learn_within_s: float = 60.0
    acquisition_s: float = 120.0
    notify_url: str = ""

    def __post_init__(self) -> None:
        if not self.passphrases and not self.clear_allowed:
            raise NotAllowed("set a nexo passphrase, or allow messages in clear on purpose")
