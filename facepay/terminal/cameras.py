"""Our cameras, as the settings name them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from facepay.errors import SettingsError
from facepay.plugins import Tools
from hardware.base import Camera
from hardware.camera_browser import BrowserCamera, BrowserLimits
from hardware.camera_opencv import DeviceOptions, OpenCvCamera
from hardware.camera_replay import ReplayCamera, ReplayOptions


def replay(options: Mapping[str, object], tools: Tools) -> Camera:
    """A video, a folder of photos or one photo (`camera.source`), replayed as a camera."""
    camera = tools.settings.camera
    path = Path(camera.source).expanduser()
    if not path.exists():
        raise SettingsError(f"camera.source {path} is missing: name a video, a photo or a folder of photos")
    made = ReplayOptions(frames_per_s=camera.frames_per_s, width=camera.width, height=camera.height)
    return ReplayCamera(path, made)


def browser(options: Mapping[str, object], tools: Tools) -> Camera:
    """A page's camera: the kiosk page pushes its pictures here while a shopper pays."""
    rate = float(tools.settings.camera.frames_per_s)
    return BrowserCamera("kiosk", BrowserLimits(frames_per_s=rate))


def opencv(options: Mapping[str, object], tools: Tools) -> Camera:
    """A capture device of this machine, by its stable path or its number (`camera.source`)."""
    camera = tools.settings.camera
    # A virtual device is for a laboratory and never for the profile that takes real money.
    allowed = bool(options.get("allow_virtual", False)) and not tools.settings.production
    made = DeviceOptions(camera.width, camera.height, camera.frames_per_s, allow_virtual=allowed)
    return OpenCvCamera(camera.source, made)
