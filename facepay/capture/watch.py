"""Watches the stream itself: whose frames they are, and whether the camera is stuck."""

from __future__ import annotations

import numpy as np

from facepay.capture.limits import CaptureLimits
from hardware.errors import CameraFrozen, CameraRefused
from hardware.types import CameraIdentity, Frame, Pixels

SAMPLED = 8
"""Every eighth pixel each way is compared; a live sensor's noise changes some of them every time."""


class StreamWatch:
    """Refuses frames of a forbidden origin or of another camera, and a picture that never changes."""

    def __init__(self, camera: CameraIdentity, limits: CaptureLimits) -> None:
        self._camera = camera
        self._limits = limits
        self._last: Pixels | None = None
        self._same = 0

    def require_fine(self, frame: Frame) -> None:
        """Look at one frame.

        Raises:
            CameraRefused: this profile takes no frames of that origin, or the sensor changed.
            CameraFrozen: the camera repeats one picture.
        """
        if frame.origin not in self._limits.origins:
            raise CameraRefused(f"frames of a {frame.origin.value} camera are not allowed here")
        if frame.sensor != self._camera.sensor or frame.origin is not self._camera.origin:
            raise CameraRefused("the camera changed during a capture")
        sampled = frame.pixels[::SAMPLED, ::SAMPLED]
        same = self._last is not None and np.array_equal(sampled, self._last)
        self._same = self._same + 1 if same else 0
        self._last = sampled.copy()
        if self._same >= self._limits.frozen_frames:
            raise CameraFrozen(f"{self._camera.sensor} repeats one picture: unplug it and plug it in again")

    @property
    def dark(self) -> bool:
        """Whether the latest frame is too dark for anybody to be seen."""
        return self._last is not None and float(self._last.mean()) < self._limits.dark_luma
