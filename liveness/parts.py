"""What one try is made of; `liveness.engine` fills it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from liveness.base import Cue, DepthSource
from liveness.calibration import Calibration
from liveness.chain import FrameChain
from liveness.challenge import Challenge, Sale
from liveness.integrity import StreamIntegrity
from liveness.looker import Looker
from liveness.policy import LivenessPolicy
from liveness.prompts import PromptBook
from liveness.types import CueName, Origin, Tier


@dataclass(frozen=True, slots=True)
class SessionParts:
    """What the engine builds a session from."""

    tier: Tier
    origin: Origin
    policy: LivenessPolicy
    looker: Looker
    integrity: StreamIntegrity
    chain: FrameChain
    cues: Mapping[CueName, Cue]
    challenge: Challenge
    prompts: PromptBook
    calibration: Calibration
    sale: Sale
    digests: tuple[tuple[str, str], ...] = ()
    depth: DepthSource | None = None
