"""What a capture tells while it runs, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from facepay.types import QualityHint, Sample
from hardware.types import CameraIdentity
from liveness.types import PadResult, Prompt


@dataclass(frozen=True, slots=True)
class Guidance:
    """What the shopper should see after a frame: one hint, the step asked for, and how far it is."""

    hint: QualityHint
    prompt: Prompt
    fraction: float


Watcher = Callable[[Guidance], None]
"""Called after each frame; may raise `Cancelled` to end the capture."""


@dataclass(frozen=True, slots=True)
class Captured:
    """A finished capture: the verdict on liveness and the faces to be embedded.

    `samples` are ordered by time. Whoever holds this drops it as soon as the probe is made.
    """

    pad: PadResult
    samples: tuple[Sample, ...] = field(repr=False)
    camera: CameraIdentity
    frames: int
    seconds: float
