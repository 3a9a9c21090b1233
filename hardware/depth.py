"""Depth cameras: what one delivers, and how its driver is found.

A driver gives depth aligned to its own colour picture, so that a face found in colour lies at the same
place in depth. Drivers load their vendor's package only when they are opened; without it the error
names what to install, and everything else works on.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, ModuleType, TracebackType
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from hardware.errors import CameraNotFound, LibraryMissing


@dataclass(frozen=True, slots=True)
class DepthFrame:
    """One depth picture: `float32[H, W]` mm, 0 where unknown; infrared `uint8[H, W]` or None.

    `focal_px` is the horizontal focal length of the picture, `captured_at_ns` this machine's monotonic
    time of arrival, `serial` the device's number.
    """

    depth_mm: npt.NDArray[np.float32] = field(repr=False)
    infrared: npt.NDArray[np.uint8] | None = field(repr=False)
    focal_px: float
    captured_at_ns: int
    serial: str


class DepthCamera(Protocol):
    """A source of depth pictures; entering opens it, leaving closes it."""

    def __enter__(self) -> Self:
        """Open the device.

        Raises:
            LibraryMissing: the vendor's package is not installed.
            CameraNotFound: there is no such device.
        """
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the device."""
        ...

    def read(self, timeout_s: float) -> DepthFrame:
        """The next picture.

        Raises:
            CameraTimeout: none came in time.
        """
        ...


DEPTH_DRIVERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "realsense": ("hardware.depth_realsense", "RealSenseCamera"),
        "orbbec": ("hardware.depth_orbbec", "OrbbecCamera"),
    }
)
"""Name to module and class; loaded on demand."""


def load_depth_camera(name: str) -> DepthCamera:
    """Build the driver of this name; it opens nothing yet.

    Raises:
        CameraNotFound: there is no driver of this name.
    """
    if name not in DEPTH_DRIVERS:
        raise CameraNotFound(f"no depth driver {name!r}; known are {', '.join(DEPTH_DRIVERS)}")
    module, attribute = DEPTH_DRIVERS[name]
    driver: Callable[[], DepthCamera] = getattr(importlib.import_module(module), attribute)
    return driver()


def require_package(module: str, package: str) -> ModuleType:
    """Import a vendor's package.

    Raises:
        LibraryMissing: it is not installed or does not load here.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise LibraryMissing(f"this depth camera needs a package; type: pip install {package}") from error


def to_millimetres(raw: npt.NDArray[np.uint16], *, scale_mm: float) -> npt.NDArray[np.float32]:
    """A device's raw units as `float32` mm; what is not finite or not positive becomes 0."""
    depth = raw.astype(np.float32) * np.float32(scale_mm)
    return np.where(np.isfinite(depth) & (depth > 0), depth, np.float32(0)).astype(np.float32)
