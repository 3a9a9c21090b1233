"""Clocks that move only when somebody sleeps on them: no wait for a deadline goes on for ever."""

from __future__ import annotations

import numpy as np
import pytest

from hardware.base import Clock, PatientClock, SteppedClock


class Machine:
    """A clock that is always far ahead, so that nobody waits."""

    def now_ns(self) -> int:
        return 0

    def sleep(self, seconds: float) -> None:
        return None


@pytest.mark.parametrize("clock", [SteppedClock(), PatientClock(Machine())])
def test_whoever_sleeps_until_a_deadline_gets_there(clock: Clock) -> None:
    random = np.random.default_rng(1)
    for wait_s in (1e-12, 4e-10, *random.uniform(0, 5, 300)):
        deadline_s = clock.now_ns() / 1e9 + wait_s
        for _ in range(3):
            if (left_s := deadline_s - clock.now_ns() / 1e9) <= 0:
                break
            clock.sleep(left_s)
        assert clock.now_ns() / 1e9 >= deadline_s


def test_nobody_sleeps_backwards() -> None:
    clock = SteppedClock(5)
    clock.sleep(-1.0)
    clock.sleep(0.0)
    assert clock.now_ns() == 5
