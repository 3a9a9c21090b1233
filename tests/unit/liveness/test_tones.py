"""The skin's mean light, without what the sensor could not count."""

from __future__ import annotations

import numpy as np
import pytest

from liveness.tones import CEILING, SKIN, measure_tones

POINTS = np.array([[136, 104], [184, 104], [160, 130], [144, 154], [176, 154]], np.float32)


def skin(level: int = 128) -> np.ndarray:
    return np.full((240, 320, 3), level, np.uint8)


def test_tones_are_linear_light() -> None:
    measured = measure_tones(skin(), POINTS)
    assert measured is not None
    tones, clipped = measured
    assert tones[SKIN] == pytest.approx([(128 / 255) ** 2.2] * 3, rel=1e-5)
    assert clipped == 0.0


def test_a_highlight_is_counted_and_left_out() -> None:
    shiny = skin()
    shiny[::2] = CEILING
    measured = measure_tones(shiny, POINTS)
    assert measured is not None
    tones, clipped = measured
    assert tones[SKIN] == pytest.approx([(128 / 255) ** 2.2] * 3, rel=1e-5)
    assert clipped == pytest.approx(0.5, abs=0.06)


def test_skin_that_is_all_highlight_is_measured_as_it_is() -> None:
    measured = measure_tones(skin(255), POINTS)
    assert measured is not None
    assert measured[1] == 1.0


def test_skin_outside_the_frame_is_not_measured() -> None:
    assert measure_tones(skin(), POINTS - np.array([130, 0], np.float32)) is None
