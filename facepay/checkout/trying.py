"""The liveness tries of one sale: a few, each with a new challenge, all before one deadline.

Only what could not be judged at all is tried again. An attack is not: the next word is the card. Neither
is a level that is merely low: the policy asks for the PIN then, which is quicker than a second flash.
"""

from __future__ import annotations

from facepay.capture import Captured, StageTimes
from facepay.capture.capture import OpenCapture
from facepay.checkout.ahead import AheadOfTime
from facepay.checkout.parts import CheckoutParts
from facepay.checkout.screen import Watch
from facepay.errors import AttackSuspected, FailureToAcquire
from liveness.session import LivenessSession
from liveness.types import PadResult, PadStatus, Tier
from pos_adapter.types import Money


class Tries:
    """Opens the first try of a sale, and further ones while they may help."""

    def __init__(self, parts: CheckoutParts, amount: Money, times: StageTimes, *, light: bool = True) -> None:
        self._parts = parts
        self._amount = amount
        self._times = times
        self._light = light
        self._tier: Tier = parts.tries.tier_for(amount)
        self._number = 0
        self.attempt: LivenessSession = self._open()
        """The latest try."""

    def capture(self, capture: OpenCapture, watch: Watch) -> tuple[Captured, AheadOfTime]:
        """Guide the shopper until a try is decided; what was embedded on the way comes with it.

        Raises:
            AttackSuspected: the try was refused.
            FailureToAcquire: no try could be judged, or there was no usable face before the deadline.
        """
        while True:
            ahead = self._parts.identifier.ahead(self._times)
            captured = capture.run(self.attempt, ahead.take)
            if captured.pad.status is PadStatus.REFUSED:
                raise AttackSuspected(f"presentation attack detection refused: {_reasons(captured.pad)}")
            # A cue that could not tell leaves a lower level, for which the policy asks for the PIN.
            if captured.pad.level is not None:
                return captured, ahead
            if self._number >= self._parts.tries.policy.tries.tries_per_sale or capture.is_over:
                raise FailureToAcquire(f"liveness could not be judged: {_reasons(captured.pad)}")
            self.attempt = self._open()
            watch.follow(self.attempt)

    def _open(self) -> LivenessSession:
        self._number += 1
        camera = self._parts.capture.identity
        return self._parts.tries.open(self._tier, self._amount, camera, self._number, light=self._light)


def _reasons(pad: PadResult) -> str:
    return ", ".join(reason.value for reason in pad.reasons)
