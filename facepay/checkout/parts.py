"""What a checkout is made of; `facepay.terminal` fills it in."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from facepay.capture import FaceCapture
from facepay.capture.tries import LivenessTries
from facepay.checkout.adjustments import Adjustments
from facepay.checkout.base import PayerAccounts
from facepay.checkout.identify import Identifier
from facepay.checkout.identity import Identities
from facepay.counter import Counter
from facepay.gallery import Gallery, HeldTemplates
from facepay.journal import History, Journal
from facepay.monitoring import Monitor
from facepay.outcomes import Row, Words
from facepay.policy import Rule
from facepay.settlement import Settlement
from hardware.base import Clock

Alert = Callable[[BaseException, Row], None]
"""Tells an operator; returns at once and never raises."""


@dataclass(frozen=True, slots=True)
class CheckoutTerms:
    """Names and patience of one terminal; seconds. `digits_gallery` is when digits narrow the search.

    Refusals about who stands there are told on a grid of `refusal_grid_s`, so that the moment a no is said
    does not tell which check said it.
    """

    terminal: str
    payee: str
    currency: str
    tap_s: float = 60.0
    confirm_s: float = 30.0
    factor_s: float = 45.0
    code_s: float = 45.0
    acknowledge_s: float = 30.0
    cancel_s: float = 0.15
    digits_gallery: int = 1_000
    factor_tries: int = 3
    refusal_grid_s: float = 0.5


@dataclass(frozen=True, slots=True)
class CheckoutParts:
    """The resources of one terminal."""

    terms: CheckoutTerms
    counter: Counter
    capture: FaceCapture
    clock: Clock
    tries: LivenessTries
    identifier: Identifier
    gallery: Gallery
    held: HeldTemplates
    rules: Sequence[Rule]
    accounts: PayerAccounts
    journal: Journal
    history: History
    settlement: Settlement
    adjustments: Adjustments
    words: Words
    pseudonym: Callable[[str], str]
    alert: Alert
    identities: Identities = field(default_factory=Identities)
    monitor: Monitor = field(default_factory=Monitor)
    reachable: Callable[[], bool] = lambda: True
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
