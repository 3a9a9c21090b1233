"""Intel RealSense D400 cameras through `pyrealsense2` (Apache-2.0), loaded when opened.

Written against the vendor's documentation; not tried on a device yet.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

import numpy as np

from hardware.depth import DepthFrame, require_package, to_millimetres
from hardware.errors import CameraGone, CameraNotFound, CameraTimeout

WIDTH, HEIGHT, RATE = 640, 480, 30


class RealSenseCamera:
    """The first device found, or the one of a serial number."""

    def __init__(self, serial: str = "") -> None:
        self._serial = serial
        # The vendor's objects have no types.
        self._pipeline: Any = None
        self._align: Any = None
        self._scale_mm = 1.0
        self._focal_px = 0.0

    def __enter__(self) -> Self:
        """Open the device with depth, infrared and colour streams."""
        rs = require_package("pyrealsense2", "pyrealsense2")
        config = rs.config()
        if self._serial:
            config.enable_device(self._serial)
        config.enable_stream(rs.stream.depth, WIDTH, HEIGHT, rs.format.z16, RATE)
        config.enable_stream(rs.stream.color, WIDTH, HEIGHT, rs.format.bgr8, RATE)
        pipeline = rs.pipeline()
        try:
            profile = pipeline.start(config)
            device = profile.get_device()
            self._scale_mm = 1000.0 * float(device.first_depth_sensor().get_depth_scale())
            self._serial = str(device.get_info(rs.camera_info.serial_number))
            colour = profile.get_stream(rs.stream.color).as_video_stream_profile()
            self._focal_px = float(colour.get_intrinsics().fx)
        except RuntimeError as error:
            raise CameraNotFound(f"no RealSense camera could be opened: {error}") from error
        self._pipeline, self._align = pipeline, rs.align(rs.stream.color)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the streams."""
        if self._pipeline is not None:
            self._pipeline.stop()
            self._pipeline = None

    def read(self, timeout_s: float) -> DepthFrame:
        """The next picture; the colour-aligned stream carries no infrared."""
        if self._pipeline is None:
            raise CameraGone("the RealSense camera is not open")
        try:
            frames = self._align.process(self._pipeline.wait_for_frames(max(1, round(timeout_s * 1000))))
        except RuntimeError as error:
            raise CameraTimeout(f"no depth picture within {timeout_s:.3f} s") from error
        depth = frames.get_depth_frame()
        if not depth:
            raise CameraTimeout("a frame set without depth arrived")
        raw = np.asarray(depth.get_data(), dtype=np.uint16)
        millimetres = to_millimetres(raw, scale_mm=self._scale_mm)
        return DepthFrame(millimetres, None, self._focal_px, time.monotonic_ns(), self._serial)
