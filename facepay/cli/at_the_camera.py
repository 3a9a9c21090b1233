"""What `facepay enrol` and `facepay pay` share: a terminal with its camera, and guidance in words."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facepay.capture import Guidance
from facepay.errors import SettingsError
from facepay.settings import Settings
from facepay.terminal import Terminal, open_terminal
from hardware.base import PatientClock
from hardware.camera_replay import ReplayCamera, ReplayOptions

HINTS = {
    "no_face": "look into the camera",
    "one_person": "one person at a time, please",
    "come_closer": "come a little closer",
    "step_back": "a step back, please",
    "centre": "move to the middle",
    "look_here": "look here",
    "hold_still": "hold still a moment",
    "more_light": "more light, please",
    "less_light": "turn away from the lamp",
    "uncover": "please uncover your face",
}


@contextmanager
def terminal_at(settings: Settings, photo: Path | None) -> Iterator[Terminal]:
    """Open the terminal before the camera that the settings name, or before a replay of `--photo`.

    A file loses no frame, however busy the machine is; gaps between them would be refused as an attack.

    Raises:
        SettingsError: production takes no files, or the settings name a page's camera.
        Fault, KeysError, HardwareError, LivenessError: as `open_terminal`.
    """
    if photo is None:
        if settings.camera.driver == "browser":
            raise SettingsError(
                "the settings name the page's camera, which the command line has not: use the pages, set "
                'camera.driver = "opencv", or give --photo FILE'
            )
        with open_terminal(settings) as terminal:
            yield terminal
        return
    if settings.production:
        raise SettingsError("the production profile takes nobody's face from a file: use a camera")
    if not photo.exists():
        raise SettingsError(f"there is no photo, video or folder {photo}")
    clock = PatientClock()
    made = ReplayOptions(settings.camera.frames_per_s, settings.camera.width, settings.camera.height)
    with open_terminal(settings, ReplayCamera(photo, made, clock), clock) as terminal:
        yield terminal


class Guide:
    """Prints each hint once in a row, on stderr."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, guidance: Guidance) -> None:
        """Say what the shopper should do now, when it changes."""
        words = HINTS.get(guidance.hint.value) or guidance.prompt.kind.value.replace("_", " ")
        if words != self._last:
            self._last = words
            print(f"  {words}", file=sys.stderr, flush=True)
