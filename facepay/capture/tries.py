"""Opens liveness tries, each with its own nonce, bound to amount, terminal and camera; seals what they found.

Before money moves the record of a try is signed with the terminal's key, checked like anybody's record
against the sale it should belong to, and spent, so that no record is ever worth two payments.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from hardware.types import CameraIdentity, FrameOrigin
from keys import KeyStore
from keys.signing import verify
from liveness.base import NonceRegister
from liveness.camera_trust import CameraFacts
from liveness.challenge import NONCE_BYTES, MemoryNonceRegister, Sale
from liveness.engine import LivenessEngine, Scene
from liveness.policy import Circumstances, LivenessPolicy
from liveness.session import LivenessSession
from liveness.transcript import SignedTranscript, require_transcript, sign_transcript
from liveness.types import Origin, Tier
from pos_adapter.types import Money

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TryTerms:
    """What is the same for every try of a terminal.

    `least` is the lowest tier asked of a payment; `spot_checks` the share of payments asked for more than
    their amount needs; `remember_pages` whether frames of earlier sessions are refused from pages too.
    """

    terminal: str
    nominal_rate: float | None = None
    light: bool = True
    least: Tier = Tier.ZERO
    spot_checks: float = 0.0
    remember_pages: bool = False


class LivenessTries:
    """Opens one session per try.

    Args:
        engine: makes the sessions.
        terms: this terminal's.
        keys: sign the records.
        random: bytes for nonces and spot checks.
        now_ns: the clock that records are dated by.
    """

    def __init__(
        self,
        engine: LivenessEngine,
        terms: TryTerms,
        keys: KeyStore,
        *,
        random: Callable[[int], bytes] = secrets.token_bytes,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._engine = engine
        self._terms = terms
        self._keys = keys
        self._random = random
        self._now_ns = now_ns
        self._spent: NonceRegister = MemoryNonceRegister()

    @property
    def policy(self) -> LivenessPolicy:
        """The tier table in force."""
        return self._engine.policy

    def tier_for(self, amount: Money) -> Tier:
        """The tier to ask of a payment: what its amount needs, sometimes more, never less."""
        drawn = int.from_bytes(self._random(4)) < self._terms.spot_checks * 2**32
        needed = self.policy.tier_for(amount.minor, Circumstances(spot_check=drawn))
        return max(needed, self._terms.least)

    def open(
        self, tier: Tier, amount: Money, camera: CameraIdentity, attempt: int = 1, *, light: bool = True
    ) -> LivenessSession:
        """Start a try for a tier before a camera; without `light` the screen stays as it is."""
        sale = Sale(
            nonce=self._random(NONCE_BYTES),
            amount_minor=amount.minor,
            currency=amount.currency,
            terminal=self._terms.terminal,
            attempt=attempt,
        )
        scene = Scene(
            origin=Origin(camera.origin.value),
            camera=_facts(camera),
            nominal_rate=self._terms.nominal_rate,
            light=light and self._terms.light,
            remembered=self._remembers(camera.origin),
        )
        return self._engine.open(tier, sale, scene)

    def seal(self, attempt: LivenessSession) -> SignedTranscript:
        """Sign the record of a concluded try, check it against its sale, and spend it.

        Raises:
            TranscriptRefused: the record was sealed before, or its signature does not hold.
            KeysError: the terminal's key cannot sign.
        """
        alarms = attempt.conclude().alarms
        if alarms:
            _log.warning("look at camera and light: %s", ", ".join(alarm.value for alarm in alarms))
        signed = sign_transcript(attempt.record(self._now_ns()), self._keys)
        require_transcript(signed, attempt.sale, _OwnKey(self._keys), self._spent, now_ns=self._now_ns())
        return signed

    def _remembers(self, origin: FrameOrigin) -> bool:
        return origin is FrameOrigin.DEVICE or (origin is FrameOrigin.BROWSER and self._terms.remember_pages)


class _OwnKey:
    """Verifies against the terminal's active signing key."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    def verify(self, data: bytes, signature: bytes) -> None:
        """Raise StatementRefused where the signature does not hold."""
        verify(self._keys.verifying_key(self._keys.signing_key), signature, data)


def _facts(camera: CameraIdentity) -> CameraFacts | None:
    # Replayed and browser cameras are virtual by their nature and marked as such by their origin;
    # only for a device is pretending to be one a reason to refuse.
    if camera.origin is not FrameOrigin.DEVICE:
        return None
    return CameraFacts(
        driver=camera.driver, name=camera.model, serial=camera.serial, is_virtual=camera.is_virtual
    )
