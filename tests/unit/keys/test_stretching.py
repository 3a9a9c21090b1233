from __future__ import annotations

import pytest

from keys.errors import FormatError
from keys.passphrase import CEILING, FLOOR, Argon2Cost, require_bounds
from keys.stretching import FIRST, MOST_KIB, measure_cost, parse_cost, time_cost, write_cost

MIB = 1024


def machine(seconds_a_pass_of_64_mib: float, tried: list[Argon2Cost] | None = None):
    """A machine of a given speed, which takes no time at all."""

    def spent_s(cost: Argon2Cost) -> float:
        if tried is not None:
            tried.append(cost)
        return seconds_a_pass_of_64_mib * cost.passes * cost.memory_kib / (64 * MIB)

    return spent_s


@pytest.mark.parametrize("speed", [0.008, 0.01, 0.02, 0.05, 0.1, 0.13, 0.2, 0.3, 0.6])
def test_opening_takes_what_is_meant_on_fast_and_slow_machines_alike(speed: float) -> None:
    cost = measure_cost(machine(speed))
    require_bounds(cost)
    assert 0.3 <= machine(speed)(cost) <= 0.5


def test_memory_is_raised_before_passes_and_given_up_after_one_of_them() -> None:
    assert measure_cost(machine(0.4 / 6)) == Argon2Cost(3, FIRST.lanes, 128 * MIB)
    assert measure_cost(machine(0.4 / 40)) == Argon2Cost(10, FIRST.lanes, MOST_KIB)
    assert measure_cost(machine(0.2)) == Argon2Cost(2, FIRST.lanes, 64 * MIB)
    assert measure_cost(machine(0.4)) == Argon2Cost(2, FIRST.lanes, 32 * MIB)


def test_the_bounds_hold_whatever_the_clock_says() -> None:
    slowest, fastest = measure_cost(machine(1e6)), measure_cost(machine(1e-9))
    assert (slowest.passes, slowest.memory_kib) == (FLOOR.passes, FLOOR.memory_kib)
    assert (fastest.passes, fastest.memory_kib) == (CEILING.passes, MOST_KIB)


def test_measuring_ends_as_soon_as_it_is_close() -> None:
    tried: list[Argon2Cost] = []
    assert measure_cost(machine(0.4 / 3, tried)) == FIRST
    assert tried == [FIRST]


def test_a_cost_is_timed_by_doing_it_and_the_lesser_of_two_counts() -> None:
    ticks = iter([0.0, 5.0, 10.0, 12.0])
    assert time_cost(FLOOR, clock=lambda: next(ticks)) == 2.0


def test_a_cost_is_written_and_read_and_bounded() -> None:
    assert parse_cost("m=65536,t=3,p=4") == FIRST
    assert parse_cost(write_cost(FLOOR)) == FLOOR
    for bad in ("", "m=65536", "m=65536,t=3,p=4 ", "m=1,t=3,p=4", "m=65536,t=99,p=4", "t=3,m=65536,p=4"):
        with pytest.raises(FormatError):
            parse_cost(bad)
