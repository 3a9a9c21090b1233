"""The fixed pattern of the terminal's camera, enrolled once, compared with each capture's.

Only an alarm comes of it. The pattern is made of sums over many frames and tells cameras apart, not
people.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facepay.capture.base import LivenessTry
from hardware.types import Frame
from liveness.fingerprint import MIN_FRAMES, SIDE, Fingerprinter, find_fingerprint_alarm
from liveness.types import Floats

ENROLLED_FRAMES = 40


class SensorPattern:
    """What one capture shows of its camera, against what was enrolled; nothing to do without that."""

    def __init__(self, enrolled: Floats | None) -> None:
        self._enrolled = enrolled
        self._printer = Fingerprinter()

    def add(self, frame: Frame) -> None:
        """Look at a frame until enough were seen."""
        if self._enrolled is not None and self._printer.count < MIN_FRAMES:
            self._printer.add(frame.pixels)

    def conclude(self, attempt: LivenessTry) -> None:
        """Put the alarm on record where the pattern is another camera's."""
        alarm = find_fingerprint_alarm(self._enrolled, self._printer.pattern())
        if alarm is not None:
            attempt.note_alarm(alarm)


def load_pattern(path: Path) -> Floats | None:
    """The enrolled pattern, `float32[S, S]`, or None where there is none.

    Raises:
        ValueError: the file is no pattern; enrol the camera again.
    """
    if not path.exists():
        return None
    try:
        pattern = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path} is no camera pattern; enrol the camera again") from error
    if pattern.dtype != np.float32 or pattern.ndim != 2 or not 0 < max(pattern.shape) <= SIDE:
        raise ValueError(f"{path} is no camera pattern; enrol the camera again")
    return np.asarray(pattern, dtype=np.float32)


def save_pattern(path: Path, pattern: Floats) -> None:
    """Write the pattern of the camera of this terminal."""
    with path.open("wb") as file:
        np.save(file, pattern, allow_pickle=False)
