"""What a stream of frames may look like, by its declared origin.

A camera this process opened gives driver times and raw noise, so its limits are tight. A browser
sends compressed frames at 10 to 30 a second with its page's clock and may repeat a frame when the
camera is slower than the page. A replay is what its file is. Each looser limit is a thing an
attacker may do under that origin, which is why the level reached names the origin (ADR 0022).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from liveness.types import Origin


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Limits of one origin; times in ms, rates in frames per second, noise in luma levels."""

    max_gap_ms: float
    """How long the camera may be silent; where nobody kept account, how far two frames may lie apart."""
    max_unseen_ms: float
    """How long this machine may not have looked, for whatever reason, and still know who stands there."""
    min_rate: float
    max_rate: float
    rate_tolerance: float | None
    """Allowed deviation, as a share, from the nominal rate and from half of it; None where there is none."""
    max_repeats_in_a_row: int
    """How often one frame may follow itself; 0 refuses the first exact repeat."""
    noise_floor: float
    """Mean absolute luma difference of neighbouring frames below which no sensor is behind them."""
    max_speed_faces_per_s: float
    """A face that moves faster was exchanged, not moved."""
    min_identity: float = 0.6
    """Least cosine of features of neighbouring embedded frames; design value 0.6."""
    second_face_frames: int = 3
    needs_camera_facts: bool = False


LIMITS: Mapping[Origin, StreamLimits] = MappingProxyType(
    {
        Origin.DEVICE: StreamLimits(
            max_gap_ms=150.0,
            max_unseen_ms=500.0,
            min_rate=12.0,
            max_rate=130.0,
            rate_tolerance=0.2,
            max_repeats_in_a_row=0,
            noise_floor=0.15,
            max_speed_faces_per_s=10.0,
            needs_camera_facts=True,
        ),
        Origin.BROWSER: StreamLimits(
            max_gap_ms=1500.0,
            max_unseen_ms=1500.0,
            min_rate=4.0,
            max_rate=130.0,
            rate_tolerance=None,
            max_repeats_in_a_row=4,
            noise_floor=0.02,
            max_speed_faces_per_s=15.0,
        ),
        Origin.REPLAY: StreamLimits(
            max_gap_ms=1000.0,
            max_unseen_ms=1000.0,
            min_rate=4.0,
            max_rate=130.0,
            rate_tolerance=None,
            max_repeats_in_a_row=2,
            noise_floor=0.02,
            max_speed_faces_per_s=15.0,
        ),
    }
)


def limits_for(origin: Origin, *, noise_floor: float | None = None) -> StreamLimits:
    """Limits of an origin, with the noise floor measured for this camera if there is one."""
    limits = LIMITS[origin]
    return (
        limits if noise_floor is None else replace(limits, noise_floor=max(noise_floor, limits.noise_floor))
    )
