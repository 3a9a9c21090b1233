"""What a try concludes: tiers, statuses, the result and the progress towards it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum

from liveness.types.evidence import Alarm, CueResult, Reason
from liveness.types.frames import Box, Floats, Origin
from liveness.types.prompts import Hint, Prompt


class Tier(IntEnum):
    """How much must be shown before an amount may be paid; see `liveness.policy`."""

    ZERO = 0
    ONE = 1
    TWO = 2
    THREE = 3


class PadStatus(Enum):
    """Outcome of a try."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """A cue or the stream speaks against it. The shopper hears only that the card is the way on."""
    NON_RESPONSE = "non_response"
    """Could not be judged: no usable face, no answer, too little light. Never called an attack."""


@dataclass(frozen=True, slots=True)
class PadResult:
    """Conclusion of one try.

    `level` is the tier whose required cues all said ok (None: not even tier 0); money is bounded by
    it. `step_up` is the tier to ask for instead where a required cue could not tell. `transcript` is
    the head of the frame chain, lowercase hex.
    """

    status: PadStatus
    level: Tier | None
    score: float
    reasons: tuple[Reason, ...]
    cues: tuple[CueResult, ...]
    transcript: str
    step_up: Tier | None = None
    alarms: tuple[Alarm, ...] = ()
    llr: float = 0.0
    origin: Origin = Origin.DEVICE

    @property
    def accepted(self) -> bool:
        """Whether the try reached the tier it was opened for."""
        return self.status is PadStatus.ACCEPTED


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a session stands after a frame; nothing here tells which cue liked or disliked it."""

    prompt: Prompt
    hint: Hint
    finished: bool
    fraction: float
    """0..1, how much of the asked for has been gathered; for the ring on the kiosk."""
    face: tuple[Box, Floats] | None = field(default=None, repr=False)
    """Box and five points of the followed face, so that the detector need not run on every frame."""
    usable: bool = False
    """Whether this frame passed the gate, so that it may be embedded."""
