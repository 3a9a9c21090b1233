"""Liveness as the settings want it: policy, calibration, frame memory, lamp, depth camera, sensor pattern.

Whatever cannot be had as it was set stops the start with a reason: a terminal with less liveness than its
operator believes is worse than one that does not start.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from facepay.capture.depth import DepthBeside
from facepay.capture.equipment import Equipment
from facepay.capture.frame_memory import FrameMemoryFile
from facepay.capture.lamp import RingLamp
from facepay.capture.sensor import load_pattern
from facepay.errors import SettingsError
from facepay.settings import Settings
from facepay.terminal.places import make_data_folder
from hardware.base import Clock
from hardware.depth import load_depth_camera
from hardware.light_ring import LightRing
from hardware.types import CameraIdentity, FrameOrigin
from keys import KeyStore
from liveness.calibration import Calibration, load_calibration
from liveness.errors import PolicyInvalid
from liveness.policy import LivenessPolicy, Tries
from liveness.types import Floats, Tier
from pos_adapter.errors import PosError
from pos_adapter.serial_link import SerialLink, SerialOptions

MEMORY_LABEL = b"facepay/liveness/frames/v1"
MEMORY_FILE = "frames.bloom"


def build_policy(settings: Settings) -> LivenessPolicy:
    """The tier table with the merchant's lower ceilings.

    Raises:
        SettingsError: a ceiling is above the default, or there are not three.
    """
    wanted = settings.liveness
    if len(wanted.ceilings_minor) != 3:
        raise SettingsError("liveness.ceilings_minor has three amounts, for the levels 0, 1 and 2")
    ceilings = dict(zip((Tier.ZERO, Tier.ONE, Tier.TWO), wanted.ceilings_minor, strict=True))
    try:
        rules = LivenessPolicy().tightened(ceilings).rules
        return LivenessPolicy(rules, Tries(tries_per_sale=wanted.tries))
    except PolicyInvalid as error:
        raise SettingsError(f"liveness.ceilings_minor: {error}") from error


def build_calibration(settings: Settings) -> Calibration:
    """The calibration the settings name, or the one that ships.

    Raises:
        SettingsError: the file cannot be read.
        LivenessError: it is no calibration, or not the one whose digest the settings have.
    """
    named, digest = settings.liveness.calibration, settings.liveness.calibration_sha256 or None
    try:
        data = Path(named).expanduser().read_bytes() if named else None
    except OSError as error:
        raise SettingsError(f"liveness.calibration {named} cannot be read: {error.strerror}") from error
    return load_calibration(data, expected_digest=digest)


def build_memory(settings: Settings, keys: KeyStore) -> FrameMemoryFile:
    """The frames of earlier sessions, under a key of this terminal.

    Raises:
        SettingsError: the file cannot be made.
    """
    key = bytearray(32)
    keys.derive_into(MEMORY_LABEL, key)
    path = make_data_folder(settings) / MEMORY_FILE
    try:
        return FrameMemoryFile(path, bytes(key), days=settings.liveness.remember_frames_days)
    except OSError as error:
        raise SettingsError(f"{path} cannot be made: {error.strerror}") from error


def build_equipment(
    settings: Settings, camera: CameraIdentity, clock: Clock, depth: DepthBeside | None
) -> Equipment:
    """Lamp, depth camera and sensor pattern beside the terminal's camera.

    Raises:
        SettingsError: the ring cannot be reached, or the pattern is damaged.
    """
    lamp = None
    wanted = settings.liveness
    if wanted.light == "ring":
        sink = _SerialSink(wanted.ring_port, wanted.ring_baud)
        lamp = RingLamp(LightRing(sink, leds=wanted.ring_leds, brightness=wanted.ring_brightness), clock)
    return Equipment(lamp, depth, find_pattern(settings, camera))


def pattern_path(settings: Settings, camera: CameraIdentity) -> Path:
    """Where the pattern of this camera lies; another camera has another file."""
    name = hashlib.sha256(camera.sensor.encode()).hexdigest()[:16]
    return settings.data.absolute() / f"camera-{name}.npy"


def find_pattern(settings: Settings, camera: CameraIdentity) -> Floats | None:
    """The enrolled pattern of a device, or None.

    Raises:
        SettingsError: the file is no pattern.
    """
    if camera.origin is not FrameOrigin.DEVICE:
        return None
    try:
        return load_pattern(pattern_path(settings, camera))
    except ValueError as error:
        raise SettingsError(str(error)) from error


def build_depth(settings: Settings) -> DepthBeside | None:
    """The depth camera of the settings, tried once now; None where none is named.

    Raises:
        HardwareError: its package is not installed, or it is not there.
    """
    if not settings.liveness.depth:
        return None
    camera = load_depth_camera(settings.liveness.depth)
    with camera:
        pass
    return DepthBeside(camera, colour_width=settings.camera.width)


class _SerialSink:
    """The serial line of the ring; what goes wrong on it is an OSError, as for any line."""

    def __init__(self, port: str, baud: int) -> None:
        if not port:
            raise SettingsError('liveness.light = "ring" needs liveness.ring_port')
        try:
            self._link = SerialLink(SerialOptions(port, baud=baud))
        except PosError as error:
            raise SettingsError(f"liveness.ring_port: {error}") from error

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        try:
            self._link.write(data)
        except PosError as error:
            raise OSError(f"the light ring does not take its colours: {error}") from error
