"""Which cameras cannot be trusted: drivers and names of software that pretends to be a camera.

A list of names stops the lazy attacker only. What binds a sale to a camera is its enrolled identity
(driver, bus path, serial number), which facepay compares; here is the part that needs no enrolment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from liveness.types import Reason

# Drivers and products known to inject pictures; compared without case, spaces and punctuation.
VIRTUAL_NAMES: tuple[str, ...] = (
    "v4l2loopback",
    "akvcam",
    "vivid",
    "vimc",
    "obsvirtual",
    "obscam",
    "manycam",
    "xsplit",
    "snapcamera",
    "droidcam",
    "iriun",
    "epoccam",
    "ndivirtual",
    "ndiwebcam",
    "splitcam",
    "webcamoid",
    "dummyvideo",
    "dummyvideodevice",
    "virtualcamera",
    "virtualcam",
    "virtualvideo",
    "gstreamersink",
    "pipewire",
    "scrcpy",
    "deepfacelive",
    "unitycapture",
    "fakedevice",
)


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What the driver or the page says about the camera; empty where it says nothing."""

    driver: str = ""
    name: str = ""
    bus: str = ""
    serial: str = ""
    is_virtual: bool = False


def find_distrust(facts: CameraFacts | None, *, required: bool) -> Reason | None:
    """Why this camera may not be used, or None.

    Args:
        facts: what is known about it.
        required: whether a camera about which nothing is known is refused.
    """
    if facts is None or not (facts.driver or facts.name):
        return Reason.CAMERA_UNKNOWN if required else None
    if facts.is_virtual:
        return Reason.VIRTUAL_CAMERA
    told = " ".join((facts.driver, facts.name, facts.bus))
    told = re.sub(r"[^a-z0-9]", "", told.lower())
    return Reason.VIRTUAL_CAMERA if any(name in told for name in VIRTUAL_NAMES) else None
