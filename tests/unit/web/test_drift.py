"""A drift alarm reaches the console and the health page, with what to do, and stops nothing."""

from __future__ import annotations

from facepay.monitoring import WINDOW, Monitor, Watched
from facepay.web.base import Health
from facepay.web.health import overall
from facepay.web.rooms import drift_part


def test_a_shift_of_quality_degrades_the_terminal_and_says_what_to_do() -> None:
    monitor = Monitor()
    for _ in range(WINDOW):
        monitor.observe(Watched.QUALITY, 0.9)
    assert drift_part(monitor.alarms()).health is Health.GOOD
    for _ in range(WINDOW):
        monitor.observe(Watched.QUALITY, 0.4)
    part = drift_part(monitor.alarms())
    assert overall([part]) is Health.DEGRADED
    assert "clean the lens" in part.advice
