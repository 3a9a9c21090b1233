"""Orbbec cameras through `pyorbbecsdk2` (Apache-2.0), loaded when opened.

Written against the vendor's examples; not tried on a device yet.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

import numpy as np

from hardware.depth import DepthFrame, require_package, to_millimetres
from hardware.errors import CameraGone, CameraNotFound, CameraTimeout


class OrbbecCamera:
    """The first device found, depth aligned to colour."""

    def __init__(self) -> None:
        # The vendor's objects have no types.
        self._pipeline: Any = None
        self._align: Any = None
        self._focal_px = 0.0
        self._serial = ""

    def __enter__(self) -> Self:
        """Open the device with its default depth and colour profiles."""
        sdk = require_package("pyorbbecsdk", "pyorbbecsdk2")
        try:
            pipeline, config = sdk.Pipeline(), sdk.Config()
            for sensor in (sdk.OBSensorType.DEPTH_SENSOR, sdk.OBSensorType.COLOR_SENSOR):
                profiles = pipeline.get_stream_profile_list(sensor)
                config.enable_stream(profiles.get_default_video_stream_profile())
            pipeline.start(config)
            self._serial = str(pipeline.get_device().get_device_info().get_serial_number())
            self._focal_px = float(pipeline.get_camera_param().rgb_intrinsic.fx)
        except (
            Exception
        ) as error:  # The package raises its own family, which exists only where it is installed.
            raise CameraNotFound(f"no Orbbec camera could be opened: {error}") from error
        self._pipeline = pipeline
        self._align = sdk.AlignFilter(align_to_stream=sdk.OBStreamType.COLOR_STREAM)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the streams."""
        if self._pipeline is not None:
            self._pipeline.stop()
            self._pipeline = None

    def read(self, timeout_s: float) -> DepthFrame:
        """The next picture."""
        if self._pipeline is None:
            raise CameraGone("the Orbbec camera is not open")
        frames = self._pipeline.wait_for_frames(max(1, round(timeout_s * 1000)))
        aligned = None if frames is None else self._align.process(frames)
        depth = None if aligned is None else aligned.as_frame_set().get_depth_frame()
        if depth is None:
            raise CameraTimeout(f"no depth picture within {timeout_s:.3f} s")
        raw = np.frombuffer(depth.get_data(), dtype=np.uint16).reshape(depth.get_height(), depth.get_width())
        millimetres = to_millimetres(raw, scale_mm=float(depth.get_depth_scale()))
        return DepthFrame(millimetres, None, self._focal_px, time.monotonic_ns(), self._serial)
