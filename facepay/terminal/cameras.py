"""Our cameras, as the settings name them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from facepay.errors import SettingsError
from facepay.plugins import Tools
from hardware.base import Camera
from hardware.camera_replay import ReplayCamera, ReplayOptions


def replay(options: Mapping[str, object], tools: Tools) -> Camera:
    """A video, a folder of photos or one photo (`camera.source`), replayed as a camera."""
    camera = tools.settings.camera
    path = Path(camera.source).expanduser()
    if not path.exists():
        raise SettingsError(f"camera.source {path} is missing: name a video, a photo or a folder of photos")
    made = ReplayOptions(frames_per_s=camera.frames_per_s, width=camera.width, height=camera.height)
    return ReplayCamera(path, made)
