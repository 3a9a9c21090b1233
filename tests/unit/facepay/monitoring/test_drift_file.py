"""Drift is noticed over restarts too, and what is kept for it is counts of many captures."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from facepay.monitoring import TOGETHER, WINDOW, DriftFile, Monitor, Watched

DAY = 30


def days(kept: DriftFile, values: list[float]) -> tuple[str, ...]:
    """Switch the terminal off every evening; return what it says on the last one."""
    alarms: tuple[str, ...] = ()
    for start in range(0, len(values), DAY):
        monitor = Monitor(kept)
        for value in values[start : start + DAY]:
            monitor.observe(Watched.QUALITY, value)
        alarms = monitor.alarms()
        monitor.close()
    return alarms


def test_a_small_shop_that_switches_off_every_night_is_told(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    kept = DriftFile(tmp_path / "drift.json", "camera and pack")
    assert days(kept, random.beta(8, 2, 2 * WINDOW + TOGETHER).tolist()) == ()
    assert len(days(kept, random.beta(2, 8, WINDOW + TOGETHER).tolist())) == 1


def test_another_camera_or_calibration_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "drift.json"
    days(DriftFile(path, "old"), [0.9] * WINDOW)
    assert days(DriftFile(path, "new"), [0.2] * WINDOW) == ()
    assert json.loads(path.read_text("utf-8"))["quality"]["baseline"][2] == WINDOW


def test_no_single_margin_is_kept(tmp_path: Path) -> None:
    kept = DriftFile(tmp_path / "drift.json", "x")
    monitor = Monitor(kept)
    for _ in range(TOGETHER - 1):
        monitor.observe(Watched.MARGIN, 0.31)
    monitor.close()
    assert sum(json.loads(kept.path.read_text("utf-8"))["margin"]["begun"]) == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{", ""),
        ('"version": 1', '"version": "1"'),
        ('"baseline": null', '"baseline": [1, 2]'),
        ('"baseline": null', '"baseline": [9, 0, 0, 0, 0, 0, 0, 0, 0, 0]'),
        ('"blocks": []', '"blocks": 7'),
        ('"blocks": []', '"blocks": [[-1, 51, 0, 0, 0, 0, 0, 0, 0, 0]]'),
        ('"begun": [0, 1', '"begun": [true, 1'),
        ('"begun": [0, 1', '"begun": [50, 1'),
        ('"quality"', '"quantity"'),
    ],
)
def test_a_file_that_makes_no_sense_begins_anew_and_stops_nothing(tmp_path: Path, old: str, new: str) -> None:
    kept = DriftFile(tmp_path / "drift.json", "x")
    days(kept, [0.15])
    text = kept.path.read_text("utf-8")
    assert old in text
    kept.path.write_text(text.replace(old, new, 1), "utf-8")
    course = kept.read()[Watched.QUALITY]
    assert (course.baseline, sum(course.begun), len(course.blocks)) == (None, 0, 0)


def test_a_folder_that_takes_no_file_is_told_and_payments_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monitor = Monitor(DriftFile(tmp_path / "gone" / "drift.json", "x"))
    with caplog.at_level(logging.WARNING):
        for _ in range(TOGETHER):
            monitor.observe(Watched.QUALITY, 0.5)
    assert "cannot be kept" in caplog.text
