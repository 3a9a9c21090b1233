"""Opens liveness tries: each with its own nonce, bound to amount, terminal and camera."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from hardware.types import CameraIdentity, FrameOrigin
from liveness.camera_trust import CameraFacts
from liveness.challenge import NONCE_BYTES, Sale
from liveness.engine import LivenessEngine, Scene
from liveness.policy import LivenessPolicy
from liveness.session import LivenessSession
from liveness.types import Origin, Tier
from pos_adapter.types import Money


@dataclass(frozen=True, slots=True)
class TryTerms:
    """What is the same for every try of a terminal: its name, the camera's rate, whether light may flash."""

    terminal: str
    nominal_rate: float | None = None
    light: bool = True


class LivenessTries:
    """Opens one session per try."""

    def __init__(
        self,
        engine: LivenessEngine,
        terms: TryTerms,
        *,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._engine = engine
        self._terms = terms
        self._random = random

    @property
    def policy(self) -> LivenessPolicy:
        """The tier table in force."""
        return self._engine.policy

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
        )
        return self._engine.open(tier, sale, scene)


def _facts(camera: CameraIdentity) -> CameraFacts | None:
    # Replayed and browser cameras are virtual by their nature and marked as such by their origin;
    # only for a device is pretending to be one a reason to refuse.
    if camera.origin is not FrameOrigin.DEVICE:
        return None
    return CameraFacts(
        driver=camera.driver, name=camera.model, serial=camera.serial, is_virtual=camera.is_virtual
    )
