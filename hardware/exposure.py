"""Holding and moving the exposure of a V4L2 camera, through the controls OpenCV passes on.

Only the thread that reads the device may turn its controls, so wishes wait in a queue until it has time.
A driver that knows no such control leaves everything as it was, and `locked` stays false.
"""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import Protocol, runtime_checkable

import cv2

# Values of V4L2_CID_EXPOSURE_AUTO, which OpenCV passes through unchanged.
MANUAL, APERTURE_PRIORITY = 1.0, 3.0
HALF_STOP = 2.0**0.5


@runtime_checkable
class Tunable(Protocol):
    """A capture that has controls: `cv2.VideoCapture` satisfies it."""

    def get(self, control: int, /) -> float:
        """Value of a control; 0 or -1 where there is none."""

    def set(self, control: int, value: float, /) -> bool:
        """Turn a control; whether the driver took it."""


class ExposureWishes:
    """What the terminal wishes of the exposure, until the reading thread does it."""

    def __init__(self) -> None:
        self._wishes: SimpleQueue[int | None] = SimpleQueue()
        self._base = 0.0
        self._locked = False

    @property
    def locked(self) -> bool:
        """Whether the driver said at the last wish that exposure is manual."""
        return self._locked

    def hold(self, steps: int = 0) -> None:
        """Wish for a manual exposure, `steps` half stops from where it was first held."""
        self._wishes.put(steps)

    def free(self) -> None:
        """Wish for automatic exposure."""
        self._wishes.put(None)

    def apply(self, capture: object) -> None:
        """Do what was wished for; call it between two frames, from the thread that reads them."""
        try:
            while True:
                steps = self._wishes.get_nowait()
                if isinstance(capture, Tunable):
                    self._free(capture) if steps is None else self._hold(capture, steps)
        except Empty:
            return

    def _hold(self, capture: Tunable, steps: int) -> None:
        if not self._locked:
            self._base = capture.get(cv2.CAP_PROP_EXPOSURE)
            capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, MANUAL)
            capture.set(cv2.CAP_PROP_AUTO_WB, 0.0)
            self._locked = capture.get(cv2.CAP_PROP_AUTO_EXPOSURE) == MANUAL and self._base > 0
        if self._locked:
            capture.set(cv2.CAP_PROP_EXPOSURE, max(1.0, round(self._base * HALF_STOP**steps)))

    def _free(self, capture: Tunable) -> None:
        if self._locked:
            capture.set(cv2.CAP_PROP_EXPOSURE, self._base)
        capture.set(cv2.CAP_PROP_AUTO_WB, 1.0)
        capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, APERTURE_PRIORITY)
        self._locked = False
