"""Where pixels come from: arrays, origins and one observed frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""`uint8[H, W, 3]`, BGR, 0..255."""


Floats = npt.NDArray[np.float32]


Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the frame."""


class Origin(Enum):
    """Where frames come from; the limits of the stream depend on it, and a level is only as good as it."""

    DEVICE = "device"
    """A camera this process opened itself; its driver stamps each frame."""
    BROWSER = "browser"
    """A page that sends JPEG frames with its own clock's times; whoever runs the page can forge them."""
    REPLAY = "replay"
    """A file played as a camera, for demonstrations and tests; never evidence of anything."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One frame as the capture hands it over, with or without a face.

    Every frame of the camera is handed over, because the stream is hashed whole. `box` and `points`
    (`float32[5, 2]`: eye, eye, nose tip, mouth corner, mouth corner, image left first) are None where
    no face was found; `detected` is False where no detector ran and the session is to follow the face
    itself. `others` are further faces inside the pay zone. `features`, if the recogniser ran, are of
    unit length and show that one person stays in view. `silent_ms` is the longest time since the last
    frame handed over in which the camera was asked and gave nothing, `late_ms` the longest in which this
    machine did not ask; None where nobody kept account.
    """

    pixels: Pixels = field(repr=False)
    captured_at_ns: int
    sequence: int
    sensor: str
    origin: Origin
    box: Box | None = None
    points: Floats | None = field(default=None, repr=False)
    others: tuple[Box, ...] = ()
    detected: bool = True
    features: Floats | None = field(default=None, repr=False)
    silent_ms: float | None = None
    late_ms: float = 0.0
