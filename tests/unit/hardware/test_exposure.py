"""Holding and moving an exposure, on a camera whose controls are a dictionary."""

from __future__ import annotations

import cv2
import pytest

from hardware.camera_opencv import captured_ns
from hardware.exposure import APERTURE_PRIORITY, MANUAL, ExposureWishes


class Controls:
    """A capture with controls; `known` are those its driver has."""

    def __init__(self, *, manual: bool = True, exposure: float = 200.0, stamp_ms: float = 0.0) -> None:
        self._manual = manual
        self.values = {
            cv2.CAP_PROP_AUTO_EXPOSURE: APERTURE_PRIORITY,
            cv2.CAP_PROP_EXPOSURE: exposure,
            cv2.CAP_PROP_AUTO_WB: 1.0,
            cv2.CAP_PROP_POS_MSEC: stamp_ms,
        }

    def get(self, control: int, /) -> float:
        return self.values.get(control, 0.0)

    def set(self, control: int, value: float, /) -> bool:
        if control == cv2.CAP_PROP_AUTO_EXPOSURE and not self._manual:
            return False
        self.values[control] = value
        return True


def test_a_held_exposure_moves_by_half_stops_and_comes_back() -> None:
    wishes, camera = ExposureWishes(), Controls()
    wishes.hold()
    wishes.apply(camera)
    assert wishes.locked
    assert camera.values[cv2.CAP_PROP_AUTO_EXPOSURE] == MANUAL
    assert camera.values[cv2.CAP_PROP_AUTO_WB] == 0.0
    seen = []
    for steps in (1, -1, 0):
        wishes.hold(steps)
        wishes.apply(camera)
        seen.append(camera.values[cv2.CAP_PROP_EXPOSURE])
    assert seen == [283.0, 141.0, 200.0]
    wishes.free()
    wishes.apply(camera)
    assert not wishes.locked
    assert camera.values[cv2.CAP_PROP_AUTO_EXPOSURE] == APERTURE_PRIORITY


@pytest.mark.parametrize("camera", [Controls(manual=False), Controls(exposure=0.0), object()])
def test_a_camera_without_the_control_is_never_called_held(camera: object) -> None:
    wishes = ExposureWishes()
    wishes.hold(1)
    wishes.apply(camera)
    assert not wishes.locked


@pytest.mark.parametrize(
    ("stamp_ms", "expected"),
    [(4_980.0, 4_980_000_000), (0.0, 5_000_000_000), (1.7e12, 5_000_000_000), (float("nan"), 5_000_000_000)],
)
def test_the_drivers_time_counts_where_it_is_of_our_clock(stamp_ms: float, expected: int) -> None:
    assert captured_ns(Controls(stamp_ms=stamp_ms), 5_000_000_000) == expected


def test_a_capture_without_times_is_stamped_on_arrival() -> None:
    assert captured_ns(object(), 7) == 7
