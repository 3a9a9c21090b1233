"""Raw capture and where it came from.

A frame lives for one payment; its `repr` never shows pixels. `FrameOrigin` travels with every frame
to the decision, so that a replayed or pushed picture can never pass for a device's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NewType

import numpy as np
import numpy.typing as npt

SensorId = NewType("SensorId", str)
"""Stable name of one camera, for example `usb-0c45:6366-2.1` or `replay:clip.mp4`."""

Pixels = npt.NDArray[np.uint8]
"""`uint8[H, W, 3]`, BGR, 0..255."""


class FrameOrigin(Enum):
    """How a frame reached this process."""

    DEVICE = "device"
    """Read from a capture device of this machine."""
    BROWSER = "browser"
    """Pushed by a web page; the sender chose every byte."""
    REPLAY = "replay"
    """Read from a file or made from a photo; never a live person."""


@dataclass(frozen=True, slots=True)
class Listening:
    """How the source was listened to since the frame that was given before, at its worst.

    `silent_ns` is how long it gave nothing though it was asked; `late_ns` how long after a frame the next
    one was asked for, which is this machine's own doing.
    """

    silent_ns: int
    late_ns: int

    def worst(self, other: Listening) -> Listening:
        """Both stretches together, where the frame between them was thrown away."""
        return Listening(max(self.silent_ns, other.silent_ns), max(self.late_ns, other.late_ns))


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the camera: `pixels` `uint8[H, W, 3]` BGR.

    `captured_at_ns` is monotonic time of this machine; `sequence` grows by one with each frame that was
    read of the camera, so that a gap counts the frames this process threw away. `listening` is None where
    nobody kept account.
    """

    pixels: Pixels = field(repr=False)
    captured_at_ns: int
    sequence: int
    sensor: SensorId
    origin: FrameOrigin
    listening: Listening | None = None


@dataclass(frozen=True, slots=True)
class CameraIdentity:
    """What is known about a camera, for binding templates to a class of cameras and for refusals.

    `driver` is the kernel's or our own driver name, `model` the product name, `serial` empty where
    the device tells none; `is_virtual` is true where the frames come from software; `is_present` is
    false while the device is not plugged in, when nothing but its place in the settings is known.
    """

    sensor: SensorId
    origin: FrameOrigin
    driver: str
    model: str
    serial: str
    is_virtual: bool
    is_present: bool = True

    @property
    def camera_class(self) -> str:
        """Origin and model in one word, the same for all units of a product."""
        return f"{self.origin.value}/{self.model}"
