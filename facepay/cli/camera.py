"""`facepay camera`: learns the fixed pattern of this terminal's camera, to notice when it is exchanged."""

from __future__ import annotations

import argparse
import json
from typing import cast

from facepay.capture.sensor import ENROLLED_FRAMES, save_pattern
from facepay.cli.exits import Exit
from facepay.errors import SettingsError
from facepay.plugins import Tools, load_factory
from facepay.settings import Settings
from facepay.terminal.alive import pattern_path
from facepay.terminal.places import make_data_folder
from hardware.base import Camera
from hardware.errors import CameraRefused
from hardware.types import FrameOrigin
from liveness.fingerprint import Fingerprinter

PATIENCE_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument(
        "deed",
        choices=["learn"],
        help="learn the sensor's pattern: point the camera at a bright, even wall with nobody before it",
    )


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Read some forty frames and keep what all of them share."""
    make_data_folder(settings)
    made = load_factory("camera", settings.camera.driver)(settings.camera.options, Tools(settings))
    # The contract tests of the group hold every camera plugin to the Protocol.
    camera = cast("Camera", made)
    if camera.identity.origin is not FrameOrigin.DEVICE:
        raise SettingsError("only a camera of this machine has a pattern of its own; set camera.driver")
    printer = Fingerprinter()
    with camera:
        while printer.count < ENROLLED_FRAMES:
            printer.add(camera.read(PATIENCE_S).pixels)
    pattern = printer.pattern()
    if pattern is None:
        raise CameraRefused("the camera changed its picture size while it was learnt; try again")
    path = pattern_path(settings, camera.identity)
    save_pattern(path, pattern)
    if arguments.json:
        print(json.dumps({"sensor": camera.identity.sensor, "frames": printer.count}))
    else:
        print(f"Learnt {camera.identity.sensor}; it is compared from the next start on.")
    return Exit.DONE
