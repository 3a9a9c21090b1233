"""Builds sessions: the one place of this package that knows all its parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from liveness.base import Cue, DepthSource, FrameMemory, NonceRegister, PassiveExpert
from liveness.calibration import Calibration, load_calibration
from liveness.camera_trust import CameraFacts, find_distrust
from liveness.chain import FrameChain
from liveness.challenge import Challenge, MemoryNonceRegister, Sale, derive
from liveness.chroma import CodeBook
from liveness.codebook import CODE_COUNT
from liveness.covering import CoverJudge
from liveness.depth import DepthCue, DepthLimits
from liveness.errors import ChallengeReused, ModelUnusable
from liveness.flash import WINDOWS_MS, FlashCue, FlashLimits
from liveness.gatekeeping import QualityCue
from liveness.gesture import GestureCue
from liveness.integrity import StreamIntegrity
from liveness.landmarks import FaceMesh
from liveness.looker import Looker, LookPlan
from liveness.parts import SessionParts
from liveness.passive import PassiveCue, PassiveLimits
from liveness.policy import LivenessPolicy
from liveness.prompts import PromptBook
from liveness.pulse import PulseCue
from liveness.quality import GateLimits
from liveness.session import LivenessSession
from liveness.shading import ReliefCue
from liveness.spectrum import SpectrumCue
from liveness.stream_limits import limits_for
from liveness.turn import TurnCue, TurnLimits
from liveness.types import CueName, Origin, Reason, Tier


@dataclass(frozen=True, slots=True)
class LivenessModels:
    """The networks: landmarks (None for the five-point fallback) and at least one passive expert."""

    mesh: FaceMesh | None
    experts: tuple[PassiveExpert, ...]
    digests: Mapping[str, str] = field(default_factory=dict)
    """Name to sha256 of the networks' files, checked against the calibration and put on record."""

    def require_working(self) -> None:
        """Run every network once on an empty picture, so that a wrong one is found before any shopper comes.

        Raises:
            ModelUnusable: a network failed, or answers something else.
        """
        empty = np.zeros((480, 640, 3), np.uint8)
        box = (220.0, 130.0, 420.0, 380.0)
        points = np.array([[270, 210], [370, 210], [320, 270], [280, 325], [360, 325]], np.float32)
        for expert in self.experts:
            expert.score(empty, box, points)
        if self.mesh is not None:
            self.mesh.find(empty, box, points)


@dataclass(frozen=True, slots=True)
class LivenessOptions:
    """What an operator may set; the defaults are the design's."""

    passive: PassiveLimits = field(default_factory=PassiveLimits)
    gate: GateLimits = field(default_factory=GateLimits)
    look: LookPlan = field(default_factory=LookPlan)
    flash: FlashLimits | None = None
    """None takes the lag window of the frames' origin."""
    turn: TurnLimits = field(default_factory=TurnLimits)
    depth: DepthLimits = field(default_factory=DepthLimits)
    pulse: bool = False
    """Opt-in: the shopper agreed to keep still for eight to ten seconds."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a try takes place.

    `camera` is None where nothing is known about it, which refuses a DEVICE. `light` tells whether a
    display or lamp may show colours to this shopper; `nominal_rate` is the camera's own frame rate.
    """

    origin: Origin
    camera: CameraFacts | None = None
    nominal_rate: float | None = None
    light: bool = True
    noise_floor: float | None = None
    remembered: bool = True
    """Whether frames of earlier sessions are refused; a film that is played for a demonstration is not."""


class LivenessEngine:
    """Holds networks and policy, and opens one session per try.

    Raises:
        ModelUnusable: there is no passive expert; liveness without one fails closed at the start.
        ModelMismatch: the calibration was measured with other networks.
    """

    def __init__(
        self,
        models: LivenessModels,
        policy: LivenessPolicy,
        *,
        secret: bytes,
        options: LivenessOptions | None = None,
        nonces: NonceRegister | None = None,
        memory: FrameMemory | None = None,
        calibration: Calibration | None = None,
        depth: DepthSource | None = None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        if not models.experts:
            raise ModelUnusable("no passive liveness network is installed; install a model pack that has one")
        self._calibration = calibration or load_calibration()
        self._calibration.require_models(models.digests)
        self._models = models
        self._policy = policy
        self._secret = secret
        self._options = options or LivenessOptions()
        self._nonces = nonces or MemoryNonceRegister()
        self._memory = memory
        self._depth = depth
        self._now_ns = now_ns
        self._book = CodeBook()
        self._covers = CoverJudge()

    @property
    def policy(self) -> LivenessPolicy:
        """The tier table in force."""
        return self._policy

    def open(self, tier: Tier, sale: Sale, scene: Scene) -> LivenessSession:
        """Start one try.

        A used or expired nonce, or a camera that cannot be trusted, gives a session that is already
        finished and refuses.

        Raises:
            LivenessError: secret or nonce are too short.
        """
        challenge = derive(self._secret, sale, codes=CODE_COUNT)
        limits = limits_for(scene.origin, noise_floor=scene.noise_floor)
        memory = self._memory if scene.remembered else None
        integrity = StreamIntegrity(limits, nominal_rate=scene.nominal_rate, memory=memory)
        distrust = find_distrust(scene.camera, required=limits.needs_camera_facts)
        for reason in (distrust, self._spend(sale)):
            if reason is not None:
                integrity.refuse(reason)
        cues = self._cues(challenge, scene)
        looker = Looker(
            self._models.mesh,
            self._models.experts,
            self._covers,
            limits=self._options.gate,
            plan=self._options.look,
        )
        return LivenessSession(
            SessionParts(
                tier=tier,
                origin=scene.origin,
                policy=self._policy,
                looker=looker,
                integrity=integrity,
                chain=FrameChain(sale.nonce),
                cues=cues,
                challenge=challenge,
                prompts=PromptBook(self._policy.tries, _askable(cues, scene)),
                calibration=self._calibration,
                sale=sale,
                digests=(
                    *sorted(self._models.digests.items()),
                    ("calibration", self._calibration.digest),
                    ("covering", self._covers.digest),
                ),
                depth=self._depth,
            )
        )

    def _spend(self, sale: Sale) -> Reason | None:
        now_ns = self._now_ns()
        if sale.expires_at_ns is not None and now_ns >= sale.expires_at_ns:
            return Reason.NONCE_EXPIRED
        try:
            self._nonces.spend(sale.nonce, now_ns=now_ns)
        except ChallengeReused:
            return Reason.NONCE_REUSED
        return None

    def _cues(self, challenge: Challenge, scene: Scene) -> Mapping[CueName, Cue]:
        flash = self._options.flash or replace(FlashLimits(), window_ms=WINDOWS_MS[scene.origin])
        cues: dict[CueName, Cue] = {
            CueName.QUALITY: QualityCue(),
            CueName.PASSIVE: PassiveCue(self._options.passive),
            CueName.SPECTRUM: SpectrumCue(),
            CueName.FLASH: FlashCue(challenge.code, flash, self._book),
            CueName.TURN: TurnCue(self._options.turn),
            CueName.RELIEF: ReliefCue(),
            CueName.GESTURE: GestureCue(),
        }
        if self._depth is not None:
            cues[CueName.DEPTH] = DepthCue(self._options.depth)
        if self._options.pulse:
            cues[CueName.PULSE] = PulseCue()
        return cues


def _askable(cues: Mapping[CueName, Cue], scene: Scene) -> frozenset[CueName]:
    """The challenges this terminal can put to the shopper."""
    names = set(cues)
    if not scene.light:
        names.discard(CueName.FLASH)
    return frozenset(names)
