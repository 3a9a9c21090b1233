"""Lock-outs: free tries, then waits that grow, then off."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from facepay.accounts import Guarded, LockedOut, Lockouts, LockoutTerms, Scope

ANNA, TERMINAL = Guarded(Scope.ACCOUNT, "anna"), Guarded(Scope.TERMINAL, "T1")


class Clock:
    """Stands until it is moved."""

    ms = 1_763_812_800_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lockouts(engine: Engine, clock: Clock) -> Lockouts:
    return Lockouts(engine, now_ms=clock)


def locked(lockouts: Lockouts, guarded: Guarded = ANNA) -> bool:
    try:
        lockouts.require_open(guarded)
    except LockedOut:
        return True
    return False


def fail(lockouts: Lockouts, times: int, guarded: Guarded = ANNA) -> None:
    for _ in range(times):
        lockouts.fail(guarded)


def test_four_failures_are_free_and_the_fifth_waits(lockouts: Lockouts) -> None:
    fail(lockouts, 4)
    assert not locked(lockouts)
    fail(lockouts, 1)
    assert locked(lockouts)


def test_waits_grow_with_every_failure(lockouts: Lockouts, clock: Clock) -> None:
    fail(lockouts, 5)
    for wait_s in (30, 60, 120, 240):
        clock.ms += wait_s * 1000 - 1
        assert locked(lockouts)
        clock.ms += 1
        assert not locked(lockouts)
        fail(lockouts, 1)


def test_waits_grow_to_a_ceiling() -> None:
    assert LockoutTerms().wait_s(49) == 3600.0
    assert LockoutTerms().wait_s(10**6) == 3600.0


def test_a_success_starts_anew(lockouts: Lockouts) -> None:
    fail(lockouts, 4)
    lockouts.succeed(ANNA)
    fail(lockouts, 4)
    assert not locked(lockouts)


def test_fifty_failures_turn_the_face_off_until_it_is_enrolled_anew(lockouts: Lockouts, clock: Clock) -> None:
    fail(lockouts, 50)
    clock.ms += 10**12
    assert locked(lockouts)
    assert lockouts.is_off(ANNA)
    lockouts.succeed(ANNA)
    assert locked(lockouts)
    lockouts.clear(ANNA)
    assert not locked(lockouts)


def test_a_terminal_waits_but_is_never_off(lockouts: Lockouts, clock: Clock) -> None:
    fail(lockouts, 60, TERMINAL)
    assert locked(lockouts, TERMINAL)
    clock.ms += 300_000
    assert not locked(lockouts, TERMINAL)


def test_counters_of_different_names_are_apart(lockouts: Lockouts) -> None:
    fail(lockouts, 5)
    assert not locked(lockouts, Guarded(Scope.ACCOUNT, "bert"))
    assert not locked(lockouts, Guarded(Scope.TERMINAL, "anna"))


def test_a_restart_forgives_nothing(lockouts: Lockouts, engine: Engine, clock: Clock) -> None:
    fail(lockouts, 5)
    assert locked(Lockouts(engine, now_ms=clock))


def test_a_clock_set_back_shortens_no_wait(lockouts: Lockouts, clock: Clock) -> None:
    fail(lockouts, 5)
    clock.ms -= 86_400_000
    fail(lockouts, 1)
    clock.ms += 86_400_000 + 59_000
    assert locked(lockouts)
