"""One moment of a sale as the two pages show it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum


class Phase(Enum):
    """Where a sale is; the last four end it and stay shown until the next one."""

    IDLE = "idle"
    OFFERED = "offered"
    CODE = "code"
    CAPTURING = "capturing"
    CHALLENGE = "challenge"
    FACTOR = "factor"
    CONFIRM = "confirm"
    AUTHORISING = "authorising"
    APPROVED = "approved"
    DECLINED = "declined"
    CARD = "card"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to this sale at the counter."""
        return self in {Phase.APPROVED, Phase.DECLINED, Phase.CARD, Phase.CANCELLED}


@dataclass(frozen=True, slots=True)
class SaleView:
    """What is on the screens. It holds no score, no name and no pixel.

    `hint` is a value of `QualityHint`, `prompt` the liveness step asked for, `words` the key of the
    sentence that outcomes has for the shopper at this moment and `cashier_words` the cashier's,
    `factor` the second factor asked for ("digits" or "pin"). `light` is what the screen shines during
    a flash step, as JSON text: `{"id": number, "ramp_ms": ms, "steps": [{"colour": "#rrggbb", "ms": ms}]}`;
    the page reports it with `Counter.report_light`. `fraction` 0..1 is how far a capture has come.
    """

    phase: Phase
    sale: str = ""
    payee: str = ""
    amount: str = ""
    amount_minor: int = 0
    currency: str = ""
    hint: str = ""
    prompt: str = ""
    light: str = ""
    fraction: float = 0.0
    factor: str = ""
    account: str = ""
    words: str = ""
    cashier_words: str = ""
    gesture: bool = True
    """Whether a smile or a nod counts as agreeing; a tap always does."""
    card_available: bool = True
    face_offered: bool = True
    """Whether the shop searches for faces without a code."""
    code_offered: bool = False
    """Whether the shop takes templates that shoppers hold."""
    simulated: bool = False
    """Whether the camera is a replayed or browser one, told to shopper and cashier."""
    revision: int = 0
    """Grows by one with each view shown; a page that sees a gap asks for the current view."""

    def as_json(self) -> dict[str, object]:
        """The view as the pages receive it."""
        return asdict(self) | {"phase": self.phase.value}


IDLE = SaleView(Phase.IDLE, card_available=False)
