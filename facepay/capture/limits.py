"""How long a capture may take, which frames it may use, and how many faces it keeps."""

from __future__ import annotations

from dataclasses import dataclass

from hardware.types import FrameOrigin

EVERY_ORIGIN = frozenset(FrameOrigin)


@dataclass(frozen=True, slots=True)
class CaptureLimits:
    """Limits of one capture.

    `look_s` is how often at least a waiting capture looks whether somebody cancelled, so cancelling
    takes effect well within 300 ms. `window_s` spreads the kept faces over the capture: one for each
    window, so that whoever is recognised was there all along.
    """

    deadline_s: float = 20.0
    frame_timeout_s: float = 2.0
    look_s: float = 0.1
    faces: int = 3
    window_s: float = 0.25
    frozen_frames: int = 15
    origins: frozenset[FrameOrigin] = EVERY_ORIGIN
    dark_luma: float = 25.0
    """Mean 0..255 below which a frame without a face is called dark."""
