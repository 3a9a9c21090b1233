"""What stands beside the camera: a lamp, a depth camera, and what is known of the sensor's pattern."""

from __future__ import annotations

from dataclasses import dataclass, field

from facepay.capture.depth import DepthBeside
from facepay.capture.lamp import Lamp
from liveness.types import Floats


@dataclass(frozen=True, slots=True)
class Equipment:
    """Each is None where there is none; `pattern` is `float32[S, S]` of `liveness.fingerprint`."""

    lamp: Lamp | None = None
    depth: DepthBeside | None = None
    pattern: Floats | None = field(default=None, repr=False)
