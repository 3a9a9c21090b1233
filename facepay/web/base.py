"""What the pages need from the rest of the house; `facepay.terminal` passes it in.

Each Protocol is small, so that a page can be driven with the real thing of one room alone. A part that
a terminal does not have is None, and the pages that need it say so in plain words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from facepay.counter import Counter
from facepay.web.cards import CardDesk
from facepay.web.desks import AccountDesk, ConsoleDesk
from facepay.web.limits import ChoicesDesk
from facepay.web.signups import EnrolmentRoom
from facepay.web.webhooks import Webhooks
from pos_adapter.base import PaymentHost


@dataclass(frozen=True, slots=True)
class Good:
    """Something on the till's quick keys; `price_minor` in minor units of the shop's currency."""

    name: str
    price_minor: int


@dataclass(frozen=True, slots=True)
class Shop:
    """Who takes the money: `payee` as shown to the shopper, ISO 4217 `currency`, default `language`."""

    payee: str
    terminal: str
    currency: str = "EUR"
    language: str = "en"
    goods: tuple[Good, ...] = ()


class Frames(Protocol):
    """Takes pictures of a page's camera. `hardware.camera_browser` has one."""

    def push(self, data: bytes) -> int:
        """Hand in one JPEG; its number. Raises HardwareError when it is refused or not wanted."""
        ...


class Health(Enum):
    """Whether a part of the terminal works."""

    GOOD = "good"
    DEGRADED = "degraded"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the terminal as the operator sees it: a name, its health, and what to do."""

    name: str
    health: Health
    advice: str = ""


class Checkup(Protocol):
    """Looks at the terminal's parts."""

    def parts(self) -> Sequence[Part]:
        """Every part, without opening a camera or touching the network."""

    def metrics(self) -> Mapping[str, float]:
        """Gauges by their Prometheus name; nothing about a person."""

    def exposition(self) -> bytes:
        """Counters and histograms as Prometheus text; nothing about a person."""


class Access(Protocol):
    """Who may open which pages."""

    def accepts(self, role: str, key: str) -> bool:
        """Whether `key` opens the pages of `role` ("till", "console"), compared in constant time."""

    def requires_key(self, role: str) -> bool:
        """Whether the pages of `role` need a key at all."""


@dataclass(frozen=True, slots=True)
class WebDeps:
    """Everything the pages are built from. `hosts` are the names by which this terminal is reached, `names`
    those of them that others reach it by; with `tls` cookies travel over TLS only."""

    shop: Shop
    counter: Counter
    session_secret: bytes = field(repr=False)
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    names: tuple[str, ...] = ()
    streams: int = 8
    tls: bool = False
    host: PaymentHost | None = None
    frames: Frames | None = None
    enrolment: EnrolmentRoom | None = None
    accounts: AccountDesk | None = None
    choices: ChoicesDesk | None = None
    cards: CardDesk | None = None
    webhooks: Webhooks | None = None
    console: ConsoleDesk | None = None
    checkup: Checkup | None = None
    access: Access | None = None
