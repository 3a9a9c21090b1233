"""A depth camera beside the colour one, as liveness asks for it."""

from __future__ import annotations

import logging

from hardware.depth import DepthCamera
from hardware.errors import HardwareError
from liveness.types import Box, DepthView, Floats

_log = logging.getLogger(__name__)


class DepthBeside:
    """Reads the depth picture of the moment and cuts out where the face is.

    The depth camera's picture covers what the colour camera's does, at its own resolution, which holds
    for devices that deliver both; `colour_width` is the colour frames' width in pixels. It is open between
    `open` and `close` only, like the colour camera.
    """

    def __init__(self, camera: DepthCamera, *, colour_width: int, timeout_s: float = 0.05) -> None:
        self._camera = camera
        self._colour_width = colour_width
        self._timeout_s = timeout_s
        self._open = False

    def open(self) -> None:
        """Open the device; where that fails the cue cannot tell, and no tier that needs it is reached."""
        try:
            self._camera.__enter__()
            self._open = True
        except HardwareError as error:
            _log.error("no depth for this capture: %s", error)

    def close(self) -> None:
        """Close the device."""
        if self._open:
            self._open = False
            self._camera.__exit__(None, None, None)

    def view(self, *, near_ns: int, box: Box, points: Floats) -> DepthView | None:
        """The depth of the face, or None where the camera gives none in time."""
        if not self._open:
            return None
        try:
            frame = self._camera.read(self._timeout_s)
        except HardwareError:
            # Without depth the cue cannot tell, and the tier that needs it is not reached.
            return None
        scale = frame.depth_mm.shape[1] / self._colour_width
        (ax, ay), (bx, by) = points[0] * scale, points[1] * scale
        return DepthView(
            depth_mm=frame.depth_mm,
            infrared=frame.infrared,
            box=(box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale),
            eyes=((float(ax), float(ay)), (float(bx), float(by))),
            focal_px=frame.focal_px,
            captured_at_ns=frame.captured_at_ns,
        )
